import { problemLines, readConfig, shortPath } from '../config/read.ts';
import { Complaint } from '../complaint.ts';
import { changeList, generatedKeyLines } from '../report.ts';
import type { Settings } from '../settings.ts';
import { adminOf } from './admin.ts';

/** `sallyport apply`: makes the file the configuration of a running gateway, here or elsewhere. */
export async function apply(settings: Settings): Promise<void> {
  const { configFile } = settings;
  const { config } = await readConfig(configFile);
  const admin = await adminOf(settings);
  const applied = await admin.apply(config.document);
  if (!applied.ok) throw new Complaint(problemLines(configFile, applied.error.map(config.locate)), 2);
  if (config.warnings.length > 0) console.log(problemLines(configFile, config.warnings).replaceAll(/^/gm, 'warning: '));
  for (const line of generatedKeyLines(applied.value)) console.log(line);
  console.log(`${shortPath(configFile)} applied to ${settings.url.origin}: ${changeList(applied.value)}`);
}
