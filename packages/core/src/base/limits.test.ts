import { describe, expect, test } from "vitest";
import { type LimitName, resolveLimits } from "./limits.ts";

const defaults = resolveLimits();
const names = Object.keys(defaults) as LimitName[];
const deadlines = names.filter((name) => name.endsWith("Ms"));
const sizes = names.filter((name) => !name.endsWith("Ms"));

test("the defaults are valid values", () => {
  expect(resolveLimits({ ...defaults })).toEqual(defaults);
});

test("a limit that is missing or undefined has its default", () => {
  const limits = resolveLimits({ maxHeaders: 7, maxHeadBytes: undefined });
  expect(limits.maxHeaders).toBe(7);
  for (const name of names.filter((other) => other !== "maxHeaders")) {
    expect(limits[name], name).toBe(defaults[name]);
  }
});

test("R04: a target of 8,000 octets fits into a head by default", () => {
  expect(defaults.maxTargetBytes).toBeGreaterThanOrEqual(8_000);
  expect(defaults.maxHeadBytes).toBeGreaterThan(defaults.maxTargetBytes);
});

describe("refused", () => {
  test.each([-1, 1.5, NaN, -Infinity, 2 ** 53, "5", null, 5n])("%s", (value) => {
    for (const name of names) {
      if (value === null) continue;
      const options = { [name]: value } as { [name: string]: number };
      expect(() => resolveLimits(options), name).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining(name) }),
      );
    }
  });

  test("an infinite deadline, since 0 turns it off; an infinite size is allowed", () => {
    for (const name of deadlines) {
      expect(() => resolveLimits({ [name]: Infinity }), name).toThrow(name);
    }
    for (const name of sizes) {
      expect(resolveLimits({ [name]: Infinity })[name], name).toBe(Infinity);
    }
  });
});

test("0 is allowed: no bytes, no pieces, no deadline", () => {
  for (const name of names) expect(resolveLimits({ [name]: 0 })[name], name).toBe(0);
});

test("options that make another connection while they are read do not affect it", () => {
  resolveLimits();
  const limits = resolveLimits({
    get idleMs() {
      resolveLimits({ maxHeaders: 9, idleMs: 5 });
      return 5;
    },
  });
  expect([limits.maxHeaders, limits.idleMs]).toEqual([100, 5]);
});

test("all limits are read from options of a class, or without a prototype", () => {
  class Options {
    get maxHeaders() {
      return 7;
    }
  }
  const bare = Object.assign(Object.create(null) as object, { idleMs: 5 });
  expect(resolveLimits(new Options()).maxHeaders).toBe(7);
  expect(resolveLimits(bare).idleMs).toBe(5);
});

test("the defaults are one object, and no limits can be changed", () => {
  expect(resolveLimits({})).toBe(resolveLimits());
  for (const limits of [
    resolveLimits(),
    resolveLimits({}, "client"),
    resolveLimits({ idleMs: 5 }),
  ]) {
    expect(Object.isFrozen(limits)).toBe(true);
  }
});
