import { AdminClient } from '../admin-client.ts';
import { Complaint } from '../complaint.ts';
import { dataFolder } from '../data/folder.ts';
import { readAdminToken } from '../data/secrets.ts';
import { isLoopback, type Settings } from '../settings.ts';

/** The admin API of the gateway that the settings name. @throws Complaint when there is no token for it */
export async function adminOf({ url, dataFolder: path }: Settings): Promise<AdminClient> {
  const token = await readAdminToken(dataFolder(path), process.env);
  if (token === undefined) {
    throw new Complaint('no admin token: set SALLYPORT_ADMIN_TOKEN, or give --data the data folder of the gateway');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname.replaceAll(/[[\]]/g, ''))) {
    console.error(`warning: the admin token goes to ${url.origin} unencrypted; use https://`);
  }
  return new AdminClient(url, token);
}
