// service → [Date] → connection: RFC 9110 §6.6.1, made once a second

interface Platform {
  setTimeout(callback: () => void, ms: number): { unref?: () => void };
  clearTimeout(timer: unknown): void;
  readonly WebSocketPair?: unknown;
}

let text: string | undefined;
// What was asked for a timer: a test's fake may take it along and never call.
let asked: unknown;

/** The present moment as IMF-fixdate (RFC 9110 §5.6.7). */
export function httpDate(): string {
  const { setTimeout } = globalThis as unknown as Platform;
  return text !== undefined && setTimeout === asked ? text : freshDate();
}

// To ask for the time costs as much as reading a small head, so that a timer tells when the second is
// over: where timers keep no process alive, and outlive the request that began them. On workerd, which
// alone has a WebSocketPair, they do not.
function freshDate(): string {
  const now = new Date();
  const made = now.toUTCString();
  const { setTimeout, clearTimeout, WebSocketPair } = globalThis as unknown as Platform;
  if (WebSocketPair !== undefined) return made;
  const timer = setTimeout(forget, 1_000 - now.getMilliseconds());
  if (timer.unref === undefined) clearTimeout(timer);
  else {
    timer.unref();
    text = made;
    asked = setTimeout;
  }
  return made;
}

function forget(): void {
  text = undefined;
}
