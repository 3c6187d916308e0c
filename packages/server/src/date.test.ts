import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { httpDate } from "./date.ts";

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["Date", "setTimeout", "clearTimeout"],
    now: Date.UTC(1994, 10, 6, 8, 49, 37, 990),
  });
});

afterEach(() => {
  // The second is over.
  if (vi.isFakeTimers()) vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
});

test("the present moment, as RFC 9110 §5.6.7 writes it", () => {
  expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
});

test("it is made once a second, and moves with the clock", () => {
  const made = vi.spyOn(Date.prototype, "toUTCString");
  const first = httpDate();
  vi.advanceTimersByTime(9);
  expect(httpDate()).toBe(first);
  expect(made).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:38 GMT");
  made.mockRestore();
});

test("no timer is left where it would keep something alive, and the date is made each time", () => {
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

test("a fake timer that never fires does not stop the date", () => {
  httpDate();
  vi.useRealTimers();
  expect(Math.abs(Date.parse(httpDate()) - Date.now())).toBeLessThan(2_000);
});

test("where timers end with their request, none is asked", () => {
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
