// service → [Date] → connection: RFC 9110 §6.6.1, made once a second

let second = 0;
let text = "";

/** The present moment as IMF-fixdate (RFC 9110 §5.6.7). */
export function httpDate(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    text = new Date(now * 1000).toUTCString();
  }
  return text;
}
