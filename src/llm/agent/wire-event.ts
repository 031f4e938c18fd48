/** One Server-Sent Event as text. @param type empty where the dialect names no events */
export function wireEvent(type: string, data: unknown): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  const lines = text.includes('\n') ? text.replaceAll('\n', '\ndata: ') : text;
  return `${type === '' ? '' : `event: ${type}\n`}data: ${lines}\n\n`;
}
