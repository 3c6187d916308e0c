import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { NOT_ON_TAPE, ReceivedLines } from "../parser/received-lines.ts";
import { endToEnd } from "./forwarding.ts";
import { Headers, type HeadersInit, headersOf, headersToSend, withUpgrade } from "./headers.ts";

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "nothing";
};
// For callers without types.
const from = (init: unknown) => Headers.from(init as HeadersInit);

const text = "Host: a\r\nX: 1\r\nx: 2\r\nE:\r\n";
const received = headersOf(new ReceivedLines(`GET / HTTP/1.1\r\n${text}`, 16, 4, NOT_ON_TAPE));
const built = Headers.from([
  ["Host", "a"],
  ["X", "1"],
  ["x", "2"],
  ["E", ""],
]);

describe.each([
  ["received", received],
  ["built", built],
])("%s headers", (_, headers) => {
  test("L15: keep spelling, order and duplicates", () => {
    expect([...headers]).toEqual([
      ["Host", "a"],
      ["X", "1"],
      ["x", "2"],
      ["E", ""],
    ]);
    expect(headers.toFlat()).toEqual(["Host", "a", "X", "1", "x", "2", "E", ""]);
    expect(headers.length).toBe(4);
    expect(headers.nameAt(2)).toBe("x");
    expect(headers.nameLengthAt(0)).toBe(4);
  });

  test("are looked up ignoring case, and joined in order", () => {
    expect(headers.get("X")).toBe("1, 2");
    expect(headers.getAll("x")).toEqual(["1", "2"]);
    expect(headers.get("e")).toBe("");
    expect(headers.get("none")).toBeUndefined();
    expect(headers.has("HOST")).toBe(true);
    expect(headers.has("hos")).toBe(false);
    expect(headers.has("__proto__")).toBe(false);
  });

  test("do not change when a returned array does", () => {
    headers.toFlat().push("Evil", "1");
    expect(headers.length).toBe(4);
  });
});

test("a value's octets", () => {
  expect([...(Headers.from({ X: "\xe9" }).bytes("x") ?? [])]).toEqual([0xe9]);
  expect(Headers.from({}).bytes("x")).toBeUndefined();
});

describe("are made from", () => {
  test("pairs, a record, lists in a record, a Map, a WHATWG Headers, and themselves", () => {
    expect(Headers.from({ A: "1", B: ["2", 3], C: undefined }).toFlat()).toEqual([
      "A",
      "1",
      "B",
      "2",
      "B",
      "3",
    ]);
    expect(Headers.from(new Map([["A", "1"]])).toFlat()).toEqual(["A", "1"]);
    expect(from(new globalThis.Headers({ A: "1" })).toFlat()).toEqual(["a", "1"]);
    expect(Headers.from(built)).toBe(built);
    expect(Headers.from(undefined).length).toBe(0);
  });

  test("Node's flat array only by fromFlat: a string of two letters could be a pair", () => {
    expect(Headers.fromFlat(["ab", "cd"]).toFlat()).toEqual(["ab", "cd"]);
    expect(code(() => from(["ab", "cd"]))).toBe("INVALID_HEADERS");
    expect(code(() => Headers.fromFlat(["ab"]))).toBe("INVALID_HEADERS");
  });

  test.each([
    ["a string", "Host: a"],
    ["null", null],
    ["a number", 1],
    ["a triple", [["a", "b", "c"]]],
    ["a one", [["a"]]],
  ])("not %s", (_, init) => {
    expect(code(() => from(init))).toBe("INVALID_HEADERS");
  });

  test.each([
    ["an object as a value", { A: {} }],
    ["null as a value", { A: null }],
    ["a boolean as a value", [["A", true]]],
    ["a symbol as a name", [[Symbol("a"), "b"]]],
    ["an empty name", { "": "a" }],
  ])("%s is refused", (_, init) => {
    expect(code(() => from(init))).toBe("INVALID_HEADER");
  });
});

describe("new Headers", () => {
  const make = (...args: unknown[]) =>
    new (Headers as new (...args: unknown[]) => Headers)(...args);

  test.each<[string, unknown, string[]]>([
    [
      "pairs",
      [
        ["A", "1"],
        ["a", 2],
      ],
      ["A", "1", "a", "2"],
    ],
    ["a record", { A: ["1", 2], B: undefined }, ["A", "1", "A", "2"]],
    ["a WHATWG Headers", new globalThis.Headers({ A: "1" }), ["a", "1"]],
    ["built headers", built, ["Host", "a", "X", "1", "x", "2", "E", ""]],
    ["received headers", received, ["Host", "a", "X", "1", "x", "2", "E", ""]],
    ["nothing", undefined, []],
  ])("accepts %s", (_, init, flat) => {
    expect(make(init).toFlat()).toEqual(flat);
    expect(make(init).length).toBe(flat.length / 2);
  });

  test("makes a new object", () => {
    expect(new Headers(built)).not.toBe(built);
  });

  test.each([
    ["a string", "Host: a", "INVALID_HEADERS"],
    ["null", null, "INVALID_HEADERS"],
    ["a flat array", ["Host", "a.test"], "INVALID_HEADERS"],
    ["two lines in one", { A: "1\r\nSet-Cookie: evil=1" }, "INVALID_HEADER"],
    ["a bad name", [["A b", "1"]], "INVALID_HEADER"],
  ])("refuses %s", (_, init, expected) => {
    expect(code(() => make(init))).toBe(expected);
  });

  test("L10: no other argument bypasses the checks", () => {
    const evil = "X: 1\r\nSet-Cookie: evil=1\r\n";
    expect(code(() => make([evil], "", 0, 1))).toBe("INVALID_HEADERS");
    expect(make(undefined, [evil, evil], evil, 0, 1, [0, 1, 3, 4]).toFlat()).toEqual([]);
    expect(code(() => make(Symbol("checked"), [evil, evil], "", 0, 1))).toBe("INVALID_HEADERS");
    expect(Object.keys(Object.getOwnPropertyDescriptors(Headers)).sort()).toEqual([
      "from",
      "fromFlat",
      "length",
      "name",
      "prototype",
    ]);
  });

  test("L10: a subclass with other methods is sent as it was checked", () => {
    class Changing extends Headers {
      override valueAt(): string {
        return "1\r\nSet-Cookie: evil=1";
      }
      override toFlat(): string[] {
        return ["A", this.valueAt()];
      }
    }
    expect(Headers.from(new Changing({ A: "1" })).toFlat()).toEqual(["A", "1"]);
    expect(endToEnd(new Changing({ A: "1" })).toFlat()).toEqual(["A", "1"]);
    expect(new Headers(new Changing({ A: "1" })).valueAt(0)).toBe("1");
  });

  test("L10: an object that only has the prototype has no lines, whatever it claims", () => {
    const evil = ["A", "1\r\nSet-Cookie: evil=1"];
    const fake = Object.create(Headers.prototype, {
      toFlat: { value: () => evil },
      valueAt: { value: () => evil[1] },
    });
    expect(code(() => from(fake))).toBe("INVALID_HEADERS");
  });
});

describe("in a console, and in JSON", () => {
  const secret = new Headers([
    ["Host", "a.test"],
    ["Set-Cookie", "id=1"],
    ["set-cookie", "id=2"],
    ["Authorization", "Bearer x"],
    ["Proxy-Authorization", "Basic y"],
    ["Cookie", "id=1"],
  ]);

  test("headers show their lines, in order, without credentials", () => {
    expect(inspect(secret)).toBe(
      [
        "Headers(6) [",
        "  'Host: a.test',",
        "  'Set-Cookie: (hidden)',",
        "  'set-cookie: (hidden)',",
        "  'Authorization: (hidden)',",
        "  'Proxy-Authorization: (hidden)',",
        "  'Cookie: (hidden)'",
        "]",
      ].join("\n"),
    );
    expect(inspect(received)).toContain("'Host: a'");
    expect(inspect(new Headers())).toBe("Headers(0) []");
  });

  test("headers nested too deep show only their name", () => {
    expect(inspect({ a: { b: { c: secret } } })).toContain("c: [Headers(6)]");
    expect(inspect(secret, { depth: null })).toContain("a.test");
  });

  test("JSON has the pairs, verbatim", () => {
    expect(JSON.stringify(received)).toBe('[["Host","a"],["X","1"],["x","2"],["E",""]]');
    expect(new Headers(JSON.parse(JSON.stringify(secret)) as HeadersInit).toFlat()).toEqual(
      secret.toFlat(),
    );
  });
});

describe("L10, Z01: nothing that ends a line is accepted", () => {
  const evil = ["\r", "\n", "\0", "\r\nX: y", "\u010a", "\u560d", "\x7f", "\x01"];

  test.each(evil)("in a name: %j", (octets) => {
    expect(code(() => from({ [`A${octets}`]: "b" }))).toBe("INVALID_HEADER");
    expect(code(() => from([[`${octets}A`, "b"]]))).toBe("INVALID_HEADER");
    expect(code(() => Headers.fromFlat([`A${octets}`, "b"]))).toBe("INVALID_HEADER");
  });

  test.each(evil)("in a value: %j", (octets) => {
    for (const value of [`a${octets}`, `${octets}a`, `a${octets}b`]) {
      expect(code(() => from({ A: value }))).toBe("INVALID_HEADER");
      expect(code(() => from([["A", value]]))).toBe("INVALID_HEADER");
      expect(code(() => from({ A: ["ok", value] }))).toBe("INVALID_HEADER");
      expect(code(() => Headers.fromFlat(["A", value]))).toBe("INVALID_HEADER");
    }
  });

  test("a value is read once, so that what is checked is what is written", () => {
    let reads = 0;
    const record = {
      get A() {
        return reads++ === 0 ? "good" : "evil\r\nX: y";
      },
    };
    expect(Headers.from(record).toFlat()).toEqual(["A", "good"]);
    expect(reads).toBe(1);
  });
});

describe("headers that propose", () => {
  test.each<[string, HeadersInit, string]>([
    ["both lines are added", { Host: "a" }, "Host a Connection Upgrade Upgrade x"],
    [
      "the option beside others",
      { Connection: "te" },
      "Connection te Connection Upgrade Upgrade x",
    ],
    [
      "what is there is left",
      { connection: "UPGRADE", upgrade: "y" },
      "connection UPGRADE upgrade y",
    ],
  ])("%s", (_, init, flat) => {
    expect(withUpgrade(Headers.from(init), "x").toFlat().join(" ")).toBe(flat);
  });
});

describe("the last headers are reused only for the same lines", () => {
  // As a connection does: each is made with the one before at hand.
  let before: Headers | undefined;
  const from = (init: unknown) => {
    before = headersToSend(init as HeadersInit, before);
    return before;
  };
  const made = (init: unknown) => [...from(init)];

  test("the same lines are the same headers", () => {
    const lines = () => [
      ["Host", "same.test"],
      ["X", "1"],
    ];
    expect(from(lines())).toBe(from(lines()));
  });

  test("fewer, more or other lines are other headers", () => {
    const first = [
      ["A", "1"],
      ["B", "2"],
    ];
    expect(made(first)).toEqual(first);
    expect(made([["A", "1"]])).toEqual([["A", "1"]]);
    expect(made([...first, ["C", "3"]])).toEqual([...first, ["C", "3"]]);
    expect(made([first[0], ["B", "3"]])).toEqual([first[0], ["B", "3"]]);
    expect(made([first[0], ["b", "2"]])).toEqual([first[0], ["b", "2"]]);
  });

  test("a list with more or fewer pairs than its length is read to its end", () => {
    const lying = (...pairs: unknown[]) => {
      const list: unknown[] = [["A", "1"]];
      list[Symbol.iterator] = () => pairs[Symbol.iterator]();
      return list;
    };
    expect(made([["A", "1"]])).toEqual([["A", "1"]]);
    expect(made(lying())).toEqual([]);
    expect(made(lying(["A", "1"], ["B", "2"]))).toEqual([
      ["A", "1"],
      ["B", "2"],
    ]);
    expect(code(() => from(lying(["A", "1"], [undefined, undefined])))).toBe("INVALID_HEADER");
  });

  test("a bad line after good ones is found", () => {
    expect(
      made([
        ["A", "1"],
        ["B", "2"],
      ]),
    ).toHaveLength(2);
    expect(
      code(() =>
        from([
          ["A", "1"],
          ["B", "2\r\nC: 3"],
        ]),
      ),
    ).toBe("INVALID_HEADER");
    expect(
      code(() =>
        from([
          ["A", "1"],
          ["B:", "2"],
        ]),
      ),
    ).toBe("INVALID_HEADER");
  });
});
