// service → [Date] → connection: RFC 9110 §6.6.1, formatted once a second

interface Platform {
  setTimeout(callback: () => void, ms: number): { unref?: () => void };
  clearTimeout(timer: unknown): void;
  readonly WebSocketPair?: unknown;
}

let text: string | undefined;
// The setTimeout that was used: a test's fake may never call back.
let scheduledWith: unknown;

/** The current time as IMF-fixdate (RFC 9110 §5.6.7). */
export function httpDate(): string {
  const { setTimeout } = globalThis as unknown as Platform;
  return text !== undefined && setTimeout === scheduledWith ? text : freshDate();
}

// Reading the clock costs as much as parsing a small head, so a timer invalidates the text when the
// second is over. That needs timers that do not keep the process alive and that outlive the request;
// on workerd, the only platform with a WebSocketPair, they do not.
function freshDate(): string {
  const now = new Date();
  const fresh = now.toUTCString();
  const { setTimeout, clearTimeout, WebSocketPair } = globalThis as unknown as Platform;
  if (WebSocketPair !== undefined) return fresh;
  const timer = setTimeout(forget, 1_000 - now.getMilliseconds());
  if (timer.unref === undefined) clearTimeout(timer);
  else {
    timer.unref();
    text = fresh;
    scheduledWith = setTimeout;
  }
  return fresh;
}

function forget(): void {
  text = undefined;
}
