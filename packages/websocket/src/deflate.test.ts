import { describe, expect, test } from "vitest";
import {
  agreedDeflate,
  type DeflateParams,
  faultOfResponse,
  offerDeflate,
  readDeflate,
  respondDeflate,
  writeDeflate,
} from "./deflate.ts";
import { formatExtension, parseExtensions } from "./extension-list.ts";
import type { PerMessageDeflateOptions } from "./options.ts";

/** The parameters of a text such as `server_max_window_bits=10; client_no_context_takeover`. */
function read(text: string): DeflateParams | string {
  const [extension] = parseExtensions(text === "" ? "x" : `x; ${text}`)!;
  return readDeflate(extension!.params);
}

const write = (params: DeflateParams): string =>
  formatExtension({ name: "x", params: writeDeflate(params) }).replace(/^x(; )?/, "");

function valid(text: string): DeflateParams {
  const params = read(text);
  if (typeof params === "string") throw new Error(params);
  return params;
}

describe("parameters", () => {
  test.each([
    "",
    "server_no_context_takeover",
    "client_no_context_takeover",
    "client_max_window_bits",
    ...[8, 9, 10, 11, 12, 13, 14, 15].flatMap((bits) => [
      `server_max_window_bits=${bits}`,
      `client_max_window_bits=${bits}`,
    ]),
    "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=8",
  ])("%j are read, and written as they were", (text) => {
    expect(write(valid(text))).toBe(text);
  });

  test.each([
    ["unknown", "unknown is unknown"],
    ["__proto__", "__proto__ is unknown"],
    ["SERVER_NO_CONTEXT_TAKEOVER", "SERVER_NO_CONTEXT_TAKEOVER is unknown"],
    ["server_no_context_takeover=true", "server_no_context_takeover cannot be true"],
    ["client_no_context_takeover=1", "client_no_context_takeover cannot be 1"],
    ["server_max_window_bits", "server_max_window_bits cannot be empty"],
    ["server_max_window_bits=7", "server_max_window_bits cannot be 7"],
    ["server_max_window_bits=16", "server_max_window_bits cannot be 16"],
    ["server_max_window_bits=08", "server_max_window_bits cannot be 08"],
    ["server_max_window_bits=10.0", "server_max_window_bits cannot be 10.0"],
    ["server_max_window_bits=-8", "server_max_window_bits cannot be -8"],
    ["server_max_window_bits=0xa", "server_max_window_bits cannot be 0xa"],
    ["client_max_window_bits=7", "client_max_window_bits cannot be 7"],
    ["client_max_window_bits=16", "client_max_window_bits cannot be 16"],
    ["client_max_window_bits=010", "client_max_window_bits cannot be 010"],
    [
      "server_no_context_takeover; server_no_context_takeover",
      "server_no_context_takeover is there twice",
    ],
    ["client_max_window_bits; client_max_window_bits=9", "client_max_window_bits is there twice"],
  ])("%j are invalid: %s", (text, fault) => {
    expect(read(text)).toBe(fault);
  });
});

describe("a client offers", () => {
  test.each<[PerMessageDeflateOptions, string]>([
    [{}, "client_max_window_bits"],
    [{ clientMaxWindowBits: false }, ""],
    [{ clientMaxWindowBits: 9 }, "client_max_window_bits=9"],
    [{ serverMaxWindowBits: 9 }, "server_max_window_bits=9; client_max_window_bits"],
    [{ serverNoContextTakeover: true }, "server_no_context_takeover; client_max_window_bits"],
    [{ clientNoContextTakeover: true }, "client_no_context_takeover; client_max_window_bits"],
    [{ serverNoContextTakeover: false, clientNoContextTakeover: false }, "client_max_window_bits"],
  ])("%j as %j", (options, text) => {
    expect(write(offerDeflate(options))).toBe(text);
  });
});

const SNC = "server_no_context_takeover";
const CNC = "client_no_context_takeover";
const smwb = (bits: number): string => `server_max_window_bits=${bits}`;
const cmwb = (bits: number): string => `client_max_window_bits=${bits}`;
const CMWB = "client_max_window_bits";

describe("L4: a server answers (RFC 7692 §7.1)", () => {
  test.each<[string, PerMessageDeflateOptions, string | undefined]>([
    ["", {}, ""],
    [CMWB, {}, ""],
    [SNC, {}, SNC],
    [CNC, {}, CNC],
    [`${CNC}; ${SNC}`, {}, `${SNC}; ${CNC}`],
    ["", { serverNoContextTakeover: true }, SNC],
    ["", { clientNoContextTakeover: true }, CNC],
    [SNC, { clientNoContextTakeover: true }, `${SNC}; ${CNC}`],
    [SNC, { serverNoContextTakeover: false }, SNC],
    [smwb(10), {}, smwb(10)],
    [smwb(10), { serverMaxWindowBits: 12 }, smwb(10)],
    [smwb(12), { serverMaxWindowBits: 10 }, smwb(10)],
    ["", { serverMaxWindowBits: 10 }, smwb(10)],
    [smwb(15), {}, smwb(15)],
    [cmwb(10), {}, cmwb(10)],
    [cmwb(10), { clientMaxWindowBits: 12 }, cmwb(10)],
    [cmwb(12), { clientMaxWindowBits: 10 }, cmwb(10)],
    [CMWB, { clientMaxWindowBits: 10 }, cmwb(10)],
    [CMWB, { clientMaxWindowBits: false }, ""],
    ["", { clientMaxWindowBits: 10 }, undefined],
    [SNC, { clientMaxWindowBits: 15 }, undefined],
    [
      `${smwb(9)}; ${CMWB}`,
      { clientMaxWindowBits: 8, serverNoContextTakeover: true },
      `${SNC}; ${smwb(9)}; ${cmwb(8)}`,
    ],
  ])("%j with %j by %j", (offered, options, response) => {
    const answer = respondDeflate(valid(offered), options);
    expect(answer === undefined ? undefined : write(answer)).toBe(response);
  });
});

describe("L4: a client that offered", () => {
  test.each<[string, string, string | undefined]>([
    ["", "", undefined],
    ["", SNC, undefined],
    ["", CNC, undefined],
    ["", smwb(8), undefined],
    ["", cmwb(15), `${CMWB} was not offered`],
    ["", CMWB, `${CMWB} has no value`],
    [CMWB, CMWB, `${CMWB} has no value`],
    [CMWB, "", undefined],
    [CMWB, cmwb(8), undefined],
    [CMWB, cmwb(15), undefined],
    [cmwb(10), "", undefined],
    [cmwb(10), cmwb(9), undefined],
    [cmwb(10), cmwb(10), undefined],
    [cmwb(10), cmwb(11), `${CMWB} is 11, more than the 10 offered`],
    [SNC, "", `${SNC} is missing`],
    [SNC, CNC, `${SNC} is missing`],
    [SNC, SNC, undefined],
    [CNC, "", undefined],
    [CNC, CNC, undefined],
    [smwb(10), "", "server_max_window_bits is missing"],
    [smwb(10), smwb(9), undefined],
    [smwb(10), smwb(10), undefined],
    [smwb(10), smwb(11), "server_max_window_bits is 11, more than the 10 offered"],
  ])("%j finds in %j: %s", (offered, response, fault) => {
    expect(faultOfResponse(valid(response), valid(offered))).toBe(fault);
  });
});

describe("the agreement", () => {
  const plain = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  };
  test.each<[string, string, object]>([
    ["", "", {}],
    [CMWB, "", {}],
    [CMWB, cmwb(9), { clientMaxWindowBits: 9 }],
    ["", `${SNC}; ${smwb(9)}`, { serverNoContextTakeover: true, serverMaxWindowBits: 9 }],
    ["", CNC, { clientNoContextTakeover: true }],
    // RFC 7692 §7.1.1.2, §7.1.2.2: a client keeps to its hint, even if the server does not repeat it.
    [`${CNC}; ${cmwb(9)}`, "", { clientNoContextTakeover: true, clientMaxWindowBits: 9 }],
    [cmwb(10), cmwb(9), { clientMaxWindowBits: 9 }],
  ])("of the offer %j and the response %j is %j", (offered, response, agreed) => {
    expect(agreedDeflate(valid(response), valid(offered))).toEqual({ ...plain, ...agreed });
  });
});

// Every combination of parameters, as options of either end.
const FLAGS = [undefined, true] as const;
const BITS = [undefined, 8, 11, 15] as const;
const ALL: readonly PerMessageDeflateOptions[] = FLAGS.flatMap((serverNoContextTakeover) =>
  FLAGS.flatMap((clientNoContextTakeover) =>
    BITS.flatMap((serverMaxWindowBits) =>
      [...BITS, false as const].map((clientMaxWindowBits) => ({
        serverNoContextTakeover,
        clientNoContextTakeover,
        serverMaxWindowBits,
        clientMaxWindowBits,
      })),
    ),
  ),
);

test("of 6,400 pairs of ends, both see the same agreement, within the limits of both", () => {
  let declined = 0;
  for (const client of ALL) {
    const offered = offerDeflate(client);
    for (const server of ALL) {
      const response = respondDeflate(valid(write(offered)), server);
      if (response === undefined) {
        declined++;
        expect([client.clientMaxWindowBits, typeof server.clientMaxWindowBits]).toEqual([false, "number"]); // biome-ignore format: one line
        continue;
      }
      const received = valid(write(response));
      expect(faultOfResponse(received, offered)).toBeUndefined();
      const agreed = agreedDeflate(received, offered);
      expect(agreedDeflate(response)).toEqual(agreed);
      for (const { serverMaxWindowBits = 15, clientMaxWindowBits, ...flags } of [client, server]) {
        expect(agreed.serverMaxWindowBits).toBeLessThanOrEqual(serverMaxWindowBits);
        expect(agreed.clientMaxWindowBits).toBeLessThanOrEqual(clientMaxWindowBits || 15);
        for (const [name, isSet] of Object.entries(flags)) {
          if (isSet) expect(agreed).toHaveProperty(name, true);
        }
      }
    }
  }
  expect([ALL.length, declined]).toEqual([80, 16 * 48]);
});
