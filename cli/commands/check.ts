import { readConfig, shortPath } from '../config/read.ts';
import type { Settings } from '../settings.ts';
import { warningLines } from './warnings.ts';

/** `sallyport check`: validates the file and touches nothing. @throws Complaint with every problem */
export async function check({ configFile }: Settings): Promise<void> {
  const { config } = await readConfig(configFile);
  for (const line of warningLines(configFile, config)) console.log(line);
  const { mcp, providers, virtual_keys: keys } = config.document;
  console.log(
    `${shortPath(configFile)} is good: ${mcp.servers.length} servers, ${providers.length} providers, ${keys.length} virtual keys`,
  );
}
