import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { httpDate } from "./date.ts";

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["Date", "setTimeout", "clearTimeout"],
    now: Date.UTC(1994, 10, 6, 8, 49, 37, 990),
  });
});

afterEach(() => {
  // Let the cached date expire.
  if (vi.isFakeTimers()) vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
});

test("the current time, in the format of RFC 9110 §5.6.7", () => {
  expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
});

test("it is formatted once a second, and follows the clock", () => {
  const made = vi.spyOn(Date.prototype, "toUTCString");
  const first = httpDate();
  vi.advanceTimersByTime(9);
  expect(httpDate()).toBe(first);
  expect(made).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:38 GMT");
  made.mockRestore();
});

test("without unref() no timer is left, and the date is formatted each time", () => {
  const clearTimeout = vi.fn();
  vi.stubGlobal("setTimeout", () => 7);
  vi.stubGlobal("clearTimeout", clearTimeout);
  try {
    expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
    expect(clearTimeout).toHaveBeenCalledWith(7);
    vi.setSystemTime(Date.UTC(1994, 10, 6, 8, 49, 40));
    expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:40 GMT");
  } finally {
    vi.unstubAllGlobals();
  }
});

test("a fake timer that never fires does not freeze the date", () => {
  httpDate();
  vi.useRealTimers();
  expect(Math.abs(Date.parse(httpDate()) - Date.now())).toBeLessThan(2_000);
});

test("no timer is set where timers end with their request", () => {
  const setTimeout = vi.fn();
  vi.stubGlobal("setTimeout", setTimeout);
  vi.stubGlobal("WebSocketPair", class {});
  try {
    expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
    expect(setTimeout).not.toHaveBeenCalled();
  } finally {
    vi.unstubAllGlobals();
  }
});
