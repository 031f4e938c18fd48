import { readConfig, shortPath } from '../config/read.ts';
import { changeList, generatedKeyLines } from '../report.ts';
import type { Settings } from '../settings.ts';
import { adminOf } from './admin.ts';
import { warningLines } from './warnings.ts';

/** `sallyport apply`: makes the file the configuration of a running gateway, here or elsewhere. */
export async function apply(settings: Settings): Promise<void> {
  const { configFile } = settings;
  const { config } = await readConfig(configFile);
  const admin = await adminOf(settings);
  const applied = await admin.apply(config.document);
  for (const line of [...warningLines(configFile, config, applied), ...generatedKeyLines(applied)]) console.log(line);
  console.log(`${shortPath(configFile)} applied to ${settings.url.origin}: ${changeList(applied)}`);
}
