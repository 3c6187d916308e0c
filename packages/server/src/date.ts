// service → [Date] → connection: RFC 9110 §6.6.1, made once a second

interface Platform {
  setTimeout(callback: () => void, ms: number): { unref?: () => void };
  clearTimeout(timer: unknown): void;
}

let text: string | undefined;

/** The present moment as IMF-fixdate (RFC 9110 §5.6.7). */
export function httpDate(): string {
  return text ?? freshDate();
}

// To ask for the time costs as much as reading a small head. Where a timer keeps no process alive,
// and belongs to no request, one tells when the second is over.
function freshDate(): string {
  const now = new Date();
  const { setTimeout, clearTimeout } = globalThis as unknown as Platform;
  const timer = setTimeout(forget, 1_000 - now.getMilliseconds());
  const made = now.toUTCString();
  if (timer.unref === undefined) clearTimeout(timer);
  else {
    timer.unref();
    text = made;
  }
  return made;
}

function forget(): void {
  text = undefined;
}
