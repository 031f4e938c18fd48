import { problemLines, readConfig, shortPath } from '../config/read.ts';
import type { Settings } from '../settings.ts';

/** `sallyport check`: validates the file and touches nothing. @throws Complaint with every problem */
export async function check({ configFile }: Settings): Promise<void> {
  const { config } = await readConfig(configFile);
  if (config.warnings.length > 0) console.log(problemLines(configFile, config.warnings).replaceAll(/^/gm, 'warning: '));
  const { mcp, providers, virtual_keys: keys } = config.document;
  console.log(
    `${shortPath(configFile)} is good: ${mcp.servers.length} servers, ${providers.length} providers, ${keys.length} virtual keys`,
  );
}
