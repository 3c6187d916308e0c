import { afterEach, expect, test, vi } from "vitest";
import { httpDate } from "./date.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("the present moment, as RFC 9110 §5.6.7 writes it", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(1994, 10, 6, 8, 49, 37, 999) });
  expect(httpDate()).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
});

test("it is made once a second, and moves with the clock", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 1) });
  const made = vi.spyOn(Date.prototype, "toUTCString");
  const first = httpDate();
  vi.setSystemTime(Date.UTC(2026, 0, 1, 0, 0, 0, 999));
  expect(httpDate()).toBe(first);
  expect(made).toHaveBeenCalledTimes(1);
  vi.setSystemTime(Date.UTC(2026, 0, 1, 0, 0, 1));
  expect(httpDate()).toBe("Thu, 01 Jan 2026 00:00:01 GMT");
  made.mockRestore();
});
