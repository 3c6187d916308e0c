import { Headers, type HeadersInit } from "@upgrade/core";
import {
  type PerMessageDeflateOptions,
  type WebSocketAgreement,
  WebSocketHandshakeError,
  websocket,
} from "@upgrade/websocket";
import { type Asked, answers, type Listed, readAsked, readList } from "./extension-oracle.ts";
import { type Fault, unlessSlow } from "./judge.ts";
import { mutate } from "./mutate.ts";
import type { Random } from "./random.ts";

/** A value of Sec-WebSocket-Extensions, and what the end that reads it wants. */
export interface ExtensionList {
  readonly text: string;
  readonly options: PerMessageDeflateOptions | false;
}

const DEFLATE = "permessage-deflate";
const FIELD = "sec-websocket-extensions";
const SERVER = "server_max_window_bits";
const CLIENT = "client_max_window_bits";
const NAMES = ["Permessage-Deflate", "x-mux", "__proto__", "a b", ""];
const PARAMS = [
  "server_no_context_takeover",
  "client_no_context_takeover",
  CLIENT,
  ...["8", "9", "15", '"10"', '"1\\1"'].flatMap((size) => [
    `${SERVER}=${size}`,
    `${CLIENT} = ${size}`,
  ]),
];
const ODD_PARAMS = [
  ...["16", "08", "7", "0x9", "", '""', '"1, 2"', '"'].map((size) => `${CLIENT}=${size}`),
  ...[SERVER, "x", "constructor", "__proto__=8", "a=b=c", "=", ""],
];
const JOINTS = [", ", ",", " , ", ",,", ",\t,", " ", ";", ""];
const SEPARATORS = ["; ", ";", " ;\t", ";;", ",", " "];
const WINDOWS = [undefined, undefined, 8, 9, 12, 15] as const;
// Longer values show nothing new, except for the time limit.
const LONGEST = 60_000;

export function randomList(random: Random): ExtensionList {
  const one = () => joined(random, 1 + random.below(3), JOINTS, () => member(random));
  const mutated = random.oneIn(3) ? mutate(one(), one(), random) : one();
  // What a field value cannot have does not reach the package.
  const text = mutated.replace(/[^\t -~\x80-\xff]/g, "");
  const joint = random.pick(JOINTS);
  return {
    text: random.oneIn(64) ? (text + joint).repeat(2_000).slice(0, LONGEST) : text,
    options: random.oneIn(8) ? false : randomOptions(random),
  };
}

function member(random: Random): string {
  const name = random.oneIn(4) ? random.pick(NAMES) : DEFLATE;
  const params = Array.from({ length: random.below(4) }, () => {
    const separator = random.oneIn(8) ? random.pick(SEPARATORS) : "; ";
    return separator + random.pick(random.oneIn(8) ? ODD_PARAMS : PARAMS);
  });
  return name + params.join("");
}

function joined(random: Random, count: number, joints: readonly string[], make: () => string) {
  let text = make();
  for (let i = 1; i < count; i++) text += random.pick(joints) + make();
  return text;
}

function randomOptions(random: Random): PerMessageDeflateOptions {
  return {
    serverNoContextTakeover: random.oneIn(3),
    clientNoContextTakeover: random.oneIn(3),
    serverMaxWindowBits: random.pick(WINDOWS),
    clientMaxWindowBits: random.oneIn(4) ? false : random.pick(WINDOWS),
  };
}

/** What is wrong with how both ends read a list; undefined if it is what the oracle says. */
export function judgeList(list: ExtensionList): Fault | undefined {
  try {
    const listed = readList(list.text);
    const slow = unlessSlow(list.text.length, () => offered(list));
    if (typeof slow === "string") return { kind: "slow", says: slow };
    const says = faultOfServer(slow, listed, list) ?? faultOfClient(answered(list), listed, list);
    return says === undefined ? undefined : { kind: "extensions", says };
  } catch (error) {
    const says = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: "throws", says };
  }
}

interface Offered {
  readonly refused: string | undefined;
  /** The server's line. */
  readonly response: string | undefined;
  readonly agreement: WebSocketAgreement | undefined;
}

// Over HTTP/2 there is no key to take into account (RFC 8441 §5).
function offered({ text, options }: ExtensionList): Offered {
  const headers = Headers.from([["sec-websocket-version", "13"], ...linesOf(text)]);
  const request = { method: "CONNECT", target: "/", version: "2", headers } as const;
  const decision = websocket({ perMessageDeflate: options }).accept(request);
  if ("refusal" in decision) {
    return { refused: decision.reason, response: undefined, agreement: undefined };
  }
  const response = Headers.from(decision.headers).get(FIELD);
  return { refused: undefined, response, agreement: decision.agreement };
}

/** The agreement, or why the client does not accept. */
function answered({ text, options }: ExtensionList): WebSocketAgreement | string {
  const { verify } = websocket({ perMessageDeflate: options }).offer("2");
  try {
    const headers = Headers.from(linesOf(text));
    return verify({ status: 200, version: "2", headers });
  } catch (error) {
    if (error instanceof WebSocketHandshakeError) return error.reason;
    throw error;
  }
}

// RFC 9110 §5.3, §5.5: a list may have several lines, and white space around a value is not of it.
function linesOf(text: string): [string, string][] {
  const at = text.indexOf(", ");
  const isOne = at === -1 || text.includes('"');
  const values = isOne ? [text] : [text.slice(0, at), text.slice(at + 2)];
  return values.map((value) => [FIELD, value.replace(/^[\t ]+|[\t ]+$/g, "")]);
}

function faultOfServer(
  { refused, response, agreement }: Offered,
  listed: readonly Listed[] | undefined,
  { options }: ExtensionList,
): string | undefined {
  if (listed === undefined) {
    return refused === "malformed-extensions" ? undefined : "the server reads a malformed list";
  }
  if (refused !== undefined) return `the server refuses a valid list: ${refused}`;
  const suits = (asked: Asked | undefined): asked is Asked =>
    asked !== undefined && options !== false && (!limits(options) || asked.bits.has(CLIENT));
  const offer = listed
    .filter(({ name }) => name === DEFLATE)
    .map(readAsked)
    .find(suits);
  if (response === undefined) {
    return offer === undefined ? undefined : "the server declines what suits it";
  }
  if (offer === undefined) return `the server accepts what does not suit it: ${response}`;
  const [chosen, more] = readList(response) ?? [];
  const asked = chosen === undefined ? undefined : readAsked(chosen);
  if (asked === undefined || more !== undefined || chosen?.name !== DEFLATE) {
    return `the server answers with an invalid line: ${response}`;
  }
  if (!answers(asked, offer)) return `the server does not answer the offer: ${response}`;
  if (!isWithin(asked, options)) return `the server exceeds its own limits: ${response}`;
  return unlike(agreement, chosen, asked, asked);
}

function faultOfClient(
  result: WebSocketAgreement | string,
  listed: readonly Listed[] | undefined,
  { options }: ExtensionList,
): string | undefined {
  const own = offerOf(options);
  const expected = expectedReason(listed, own);
  if (expected !== undefined || typeof result === "string") {
    const came = typeof result === "string" ? result : "an agreement";
    return came === expected ? undefined : `the client: ${came}, the oracle: ${expected}`;
  }
  const [chosen] = listed!;
  const asked = chosen === undefined ? undefined : readAsked(chosen);
  return unlike(result, chosen, asked, own);
}

function expectedReason(
  listed: readonly Listed[] | undefined,
  own: Asked | undefined,
): string | undefined {
  if (listed === undefined) return "malformed-extensions";
  if (listed.some(({ name }) => name !== DEFLATE || own === undefined)) return "unknown-extension";
  if (listed.length > 1) return "repeated-extension";
  const [chosen] = listed;
  if (chosen === undefined) return undefined;
  const asked = readAsked(chosen);
  return asked !== undefined && answers(asked, own!) ? undefined : "wrong-deflate-parameters";
}

/** What our client asks for, as the oracle reads its own line. */
function offerOf(options: ExtensionList["options"]): Asked | undefined {
  const { headers }: { headers?: HeadersInit | undefined } = websocket({
    perMessageDeflate: options,
  }).offer("2");
  const line = Headers.from(headers).get(FIELD);
  if (line === undefined) return undefined;
  const [only] = readList(line) ?? [];
  return only === undefined ? undefined : readAsked(only);
}

function limits(options: PerMessageDeflateOptions): boolean {
  return typeof options.clientMaxWindowBits === "number";
}

function isWithin({ flags, bits }: Asked, options: ExtensionList["options"]): boolean {
  if (options === false) return false;
  const isAtMost = (name: string, most: number | false | undefined) =>
    typeof most !== "number" || ((bits.get(name) ?? 16) as number) <= most;
  return (
    (!options.serverNoContextTakeover || flags.has("server_no_context_takeover")) &&
    (!options.clientNoContextTakeover || flags.has("client_no_context_takeover")) &&
    isAtMost(SERVER, options.serverMaxWindowBits) &&
    isAtMost(CLIENT, options.clientMaxWindowBits)
  );
}

/** What differs between an agreement and the response that it comes from. */
function unlike(
  agreement: WebSocketAgreement | undefined,
  chosen: Listed | undefined,
  response: Asked | undefined,
  own: Asked | undefined,
): string | undefined {
  const extensions =
    chosen === undefined ? [] : [{ name: chosen.name, params: Object.fromEntries(chosen.params) }];
  const sizeOf = (name: string) => {
    const size = response!.bits.get(name) ?? (name === CLIENT ? own!.bits.get(name) : undefined);
    return typeof size === "number" ? size : 15;
  };
  const client = "client_no_context_takeover";
  const deflate = response && {
    serverNoContextTakeover: response.flags.has("server_no_context_takeover"),
    clientNoContextTakeover: response.flags.has(client) || own!.flags.has(client),
    serverMaxWindowBits: sizeOf(SERVER),
    clientMaxWindowBits: sizeOf(CLIENT),
  };
  const ours = JSON.stringify([agreement?.extensions, agreement?.deflate]);
  const theirs = JSON.stringify([extensions, deflate]);
  return ours === theirs ? undefined : `agreed: ${ours}\noracle: ${theirs}`;
}
