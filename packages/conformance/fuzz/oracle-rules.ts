// The oracle's rules for a line and a head: patterns of RFC 9110, RFC 9112 and RFC 3986, written
// independently. Like the oracle they share nothing with the core.

export type Fields = readonly (readonly [name: string, value: string])[];

/** A client's request, as far as it affects how the response is read. */
export interface Ask {
  readonly method: string;
  /** The protocols proposed by the request. */
  readonly offers: readonly string[];
  /** The request has close, or is HTTP/1.0. */
  readonly last: boolean;
  /** The request waits for a 100 before its body. */
  readonly withheld: boolean;
}

/** The limits that affect refusals. */
export interface Bounds {
  readonly maxHeadBytes: number;
  readonly maxTargetBytes: number;
  readonly maxHeaders: number;
  readonly maxTrailerBytes: number;
  readonly maxTrailers: number;
  readonly maxChunkExtensionBytes: number;
  readonly maxInterimResponses: number;
  readonly maxBodyBytes: number;
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
// RFC 3986 §3.2.2, the nine shapes of IPv6address, h16 and ls32 written out.
const H = "[0-9A-Fa-f]{1,4}";
const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const LS32 = `(?:${H}:${H}|${OCTET}(?:\\.${OCTET}){3})`;
const IPV6 = [
  `(?:${H}:){6}${LS32}`,
  `::(?:${H}:){5}${LS32}`,
  `(?:${H})?::(?:${H}:){4}${LS32}`,
  `(?:(?:${H}:){0,1}${H})?::(?:${H}:){3}${LS32}`,
  `(?:(?:${H}:){0,2}${H})?::(?:${H}:){2}${LS32}`,
  `(?:(?:${H}:){0,3}${H})?::${H}:${LS32}`,
  `(?:(?:${H}:){0,4}${H})?::${LS32}`,
  `(?:(?:${H}:){0,5}${H})?::${H}`,
  `(?:(?:${H}:){0,6}${H})?::`,
].join("|");
const UNRESERVED = "A-Za-z0-9\\-._~!$&'()*+,;=";
const PERCENT = "%[0-9A-Fa-f]{2}";
// A name or an address, never empty (RFC 9110 §4.2.1), without userinfo (§4.2.4).
const HOST = `(?:\\[(?:${IPV6}|[vV][0-9A-Fa-f]+\\.[${UNRESERVED}:]+)\\]|(?:[${UNRESERVED}]|${PERCENT})+)`;
// The octets that the URL standard leaves unencoded in a path or a query, and those of RFC 3986.
const VISIBLE = "[A-Za-z0-9!$%&'()*+,\\-./:;=?@\\[\\\\\\]^_`{|}~]";
const HOST_FIELD = new RegExp(`^${HOST}(?::[0-9]*)?$`);
const AUTHORITY_FORM = new RegExp(`^${HOST}:([0-9]{1,5})$`);
const ORIGIN_FORM = new RegExp(`^/${VISIBLE}*$`);
const ABSOLUTE_FORM = new RegExp(
  `^[A-Za-z][A-Za-z0-9+\\-.]*://${HOST}(?::([0-9]*))?(?:[/?]${VISIBLE}*)?$`,
);
// RFC 9112 §3, §4.
export const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([^ ]+) HTTP/1\\.([01])$`);
export const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t -~\x80-\xff]*))?$/;
// RFC 9110 §5.5, RFC 9112 §5: no white space before the colon, and no folded line.
const FIELD_LINE = new RegExp(
  `^(${TOKEN}):[\\t ]*((?:[!-~\\x80-\\xff](?:[\\t -~\\x80-\\xff]*[!-~\\x80-\\xff])?)?)[\\t ]*$`,
);
const WHOLE_TOKEN = new RegExp(`^${TOKEN}$`);
const PROTOCOL = new RegExp(`^${TOKEN}(?:/${TOKEN})?$`);
// RFC 9112 §7.1, §7.1.1.
const QUOTED = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"';
export const CHUNK_LINE = new RegExp(
  `^(0*)([0-9A-Fa-f]*)((?:[\\t ]*;[\\t ]*${TOKEN}(?:[\\t ]*=[\\t ]*(?:${TOKEN}|${QUOTED}))?)*)$`,
);

export class Refusal {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

export function demand(holds: boolean, why: string): void {
  if (!holds) throw new Refusal(why);
}

export function readFields(lines: readonly string[]): Fields {
  return lines.map((text) => {
    const [line, name = "", value = ""] = FIELD_LINE.exec(text) ?? [];
    demand(line !== undefined, `field line ${JSON.stringify(text)}`);
    return [name, value];
  });
}

export function valuesOf(fields: Fields, wanted: string): string[] {
  return fields.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}

// RFC 9110 §5.6.1.2: the members of all lines, without empty ones.
function membersOf(fields: Fields, wanted: string): string[] {
  return valuesOf(fields, wanted)
    .join(",")
    .split(",")
    .map((member) => member.replace(/^[\t ]+|[\t ]+$/g, ""))
    .filter((member) => member !== "");
}

function hasOption(fields: Fields, option: string): boolean {
  return membersOf(fields, "connection").some((member) => member.toLowerCase() === option);
}

export type Length = number | "chunked" | "until-close";

// RFC 9112 §6.1, §6.2, §6.3, without repair.
export function declaredLength(recent: boolean, fields: Fields): Length | undefined {
  const lengths = valuesOf(fields, "content-length");
  const codings = valuesOf(fields, "transfer-encoding");
  if (codings.length > 0) {
    demand(lengths.length === 0, "two framings");
    demand(recent, "a coding in HTTP/1.0");
    const names = codings.join(",").toLowerCase().split(",");
    const members = names.map((member) => member.replace(/^[\t ]+|[\t ]+$/g, ""));
    demand(
      members.every((member) => WHOLE_TOKEN.test(member)),
      "coding",
    );
    if (members.length === 1 && members[0] === "chunked") return "chunked";
    // Another coding before chunked could be framed, but not decoded.
    demand(!members.includes("chunked"), "another coding");
    return "until-close";
  }
  if (lengths.length === 0) return undefined;
  demand(lengths.length === 1 && /^[0-9]+$/.test(lengths[0]!), "Content-Length");
  demand(Number.isSafeInteger(Number(lengths[0])), "Content-Length");
  return Number(lengths[0]);
}

// RFC 9112 §9.3.
export function persists(recent: boolean, fields: Fields): boolean {
  return !hasOption(fields, "close") && (recent || hasOption(fields, "keep-alive"));
}

// RFC 9110 §7.8: a malformed list proposes nothing.
export function offered(fields: Fields): string[] {
  const members = membersOf(fields, "upgrade");
  const sound = hasOption(fields, "upgrade") && members.every((member) => PROTOCOL.test(member));
  return sound ? members : [];
}

// RFC 9110 §7.8, §15.2.2.
export function checkSwitch(recent: boolean, fields: Fields, ask: Ask, withheld: boolean): void {
  demand(ask.method !== "CONNECT" && recent && !withheld, "101 out of turn");
  // RFC 9112 §6.3 rule 1: valid framing fields are ignored.
  declaredLength(recent, fields);
  demand(hasOption(fields, "upgrade"), "101 without its connection option");
  const named = membersOf(fields, "upgrade").map((member) => member.toLowerCase());
  const offers = ask.offers.map((offer) => offer.toLowerCase());
  demand(named.length > 0 && named.every((name) => offers.includes(name)), "101 not proposed");
}

function isPort(text: string | undefined): boolean {
  return text === undefined || Number(text) <= 65_535;
}

// RFC 9112 §3.2.
export function checkTarget(method: string, target: string, { maxTargetBytes }: Bounds): void {
  demand(target.length <= maxTargetBytes, "too long a target");
  if (method === "CONNECT") {
    const port = Number(AUTHORITY_FORM.exec(target)?.[1] ?? 0);
    demand(port >= 1 && port <= 65_535, "authority form");
    return;
  }
  const absolute = ABSOLUTE_FORM.exec(target);
  const general = ORIGIN_FORM.test(target) || (absolute !== null && isPort(absolute[1]));
  demand(general || (target === "*" && method === "OPTIONS"), "target");
}

// RFC 9112 §3.2, RFC 9110 §7.2.
export function checkHost(recent: boolean, fields: Fields): void {
  const hosts = valuesOf(fields, "host");
  demand(hosts.length === 1 || (hosts.length === 0 && !recent), "Host");
  demand((hosts[0] ?? "") === "" || HOST_FIELD.test(hosts[0]!), "Host");
}

// RFC 9110 §10.1.1.
export function checkExpect(recent: boolean, fields: Fields): void {
  const expectations = recent ? membersOf(fields, "expect") : [];
  demand(
    expectations.every((member) => /^100-continue$/i.test(member)),
    "Expect",
  );
}
