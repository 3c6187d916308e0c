import { describe, expect, test } from "vitest";
import { ANY, BOOLEAN, CLOCK, checkOptions, DURATION, FUNCTION, SIGNAL, SIZE } from "./options.ts";

const KINDS = { signal: SIGNAL, timeoutMs: DURATION, onError: FUNCTION, halfClose: BOOLEAN };

function complaint(options: unknown, others: object = {}): string {
  try {
    checkOptions(options as object, KINDS, others);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    expect(code).toBe("INVALID_OPTION");
    return message.slice(message.indexOf(": ") + 2);
  }
  return "";
}

describe("an unknown name", () => {
  test.each([
    ["headMS", "headMs"],
    ["timeout", "timeoutMs"],
    ["timeOutMs", "timeoutMs"],
    ["sginal", "signal"],
    ["prot", "port"],
    ["onerror", "onError"],
    ["halfclosed", "halfClose"],
  ])("%s is refused, and %s is suggested", (name, meant) => {
    const others = { headMs: 1, port: 1 };
    expect(complaint({ [name]: undefined }, others)).toBe(`${name}: did you mean ${meant}?`);
  });

  test("that resembles none is refused with a list of all options", () => {
    const known = "known are halfClose, headMs, onError, signal, timeoutMs";
    expect(complaint({ keepAlive: true }, { headMs: 1 })).toBe(`keepAlive: ${known}`);
  });

  test.each(["__proto__", "constructor", "toString"])("is refused if it is %s", (name) => {
    const options = JSON.parse(`{ "${name}": 1 }`) as object;
    expect(complaint(options)).toContain(`${name}: `);
  });

  test("is refused in an object that inherits from options, and in one without a prototype", () => {
    const inheriting = Object.assign(Object.create({ timeoutMs: 3 }) as object, { timeotMs: 3 });
    const bare = Object.assign(Object.create(null) as object, { timeotMs: 3 });
    expect(complaint(inheriting)).toBe("timeotMs: did you mean timeoutMs?");
    expect(complaint(bare)).toBe("timeotMs: did you mean timeoutMs?");
    expect(complaint(Object.create({ timeotMs: 3 }))).toBe("timeotMs: did you mean timeoutMs?");
  });

  test("that every object inherits is ignored", () => {
    Object.defineProperty(Object.prototype, "everywhere", {
      value: 1,
      enumerable: true,
      writable: true,
      configurable: true,
    });
    try {
      expect([complaint({}), complaint(Object.create({ timeoutMs: 3 }))]).toEqual(["", ""]);
    } finally {
      Reflect.deleteProperty(Object.prototype, "everywhere");
    }
  });

  test("is ignored in an instance of a class, which may have other members", () => {
    class Settings {
      readonly timeoutMs = 3;
      readonly timetable = "of its own";
    }
    expect(complaint(new Settings())).toBe("");
  });
});

describe("a value", () => {
  test.each([
    [{ signal: {} }, "signal is an object, not an AbortSignal"],
    [{ signal: "stop" }, "signal is a string, not an AbortSignal"],
    [{ timeoutMs: "5" }, "timeoutMs is a string, not a whole number of milliseconds"],
    [{ timeoutMs: Infinity }, "timeoutMs is Infinity, not a whole number of milliseconds"],
    [{ timeoutMs: -1 }, "timeoutMs is -1, not a whole number of milliseconds"],
    [{ timeoutMs: null }, "timeoutMs is null, not a whole number of milliseconds"],
    [{ onError: 3 }, "onError is 3, not a function"],
    [{ halfClose: "no" }, "halfClose is a string, not a boolean"],
    [{ halfClose: () => true }, "halfClose is a function, not a boolean"],
    [{ halfClose: Symbol("no") }, "halfClose is a symbol, not a boolean"],
    [{ halfClose: 10n }, "halfClose is a bigint, not a boolean"],
    [{ onError: Object.create(null) as object }, "onError is an object, not a function"],
  ])("%o is refused", (options, message) => {
    expect(complaint(options)).toBe(message);
  });

  test("that is inherited is checked, too", () => {
    class Settings {
      get timeoutMs() {
        return -1;
      }
    }
    expect(complaint(new Settings())).toContain("timeoutMs is -1");
    expect(complaint(Object.create({ onError: 3 }))).toBe("onError is 3, not a function");
  });

  test("whose methods cannot be read is refused", () => {
    const signal = {
      get addEventListener() {
        throw new Error("unreadable");
      },
    };
    expect(complaint({ signal })).toBe("signal is an object, not an AbortSignal");
  });

  test("that is undefined counts as missing", () => {
    expect(complaint({ signal: undefined, timeoutMs: undefined, onError: undefined })).toBe("");
  });

  test("of each kind is accepted", () => {
    const { signal } = new AbortController();
    expect(complaint({ signal, timeoutMs: 0, onError: () => {}, halfClose: false })).toBe("");
    expect([ANY, SIZE].every((kind) => kind.fits(Infinity))).toBe(true);
    expect(CLOCK.fits({ now() {}, setTimer() {}, clearTimer() {} })).toBe(true);
    expect(CLOCK.fits({ now() {} })).toBe(false);
  });
});

test.each([null, 5, "headMs", () => {}, [], ["headMs"], new Map([["headMs", 1]]), new Set()])(
  "options that are %o are refused",
  (options) => {
    expect(complaint(options)).toMatch(/^options are .*, not an object$/);
  },
);
