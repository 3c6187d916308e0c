// A second reading of Sec-WebSocket-Extensions, which shares no code with the package: cut first,
// judged afterwards.

/** An extension of a list, with its parameters in order; `true` is one without a value. */
export interface Listed {
  readonly name: string;
  readonly params: readonly (readonly [name: string, value: string | true])[];
}

/** What the parameters of permessage-deflate ask for (RFC 7692 §7.1). */
export interface Asked {
  readonly flags: ReadonlySet<string>;
  readonly bits: ReadonlyMap<string, number | true>;
}

const TOKEN_CHARACTERS = new Set(
  "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
);
const isToken = (text: string): boolean =>
  text !== "" && [...text].every((character) => TOKEN_CHARACTERS.has(character));

/** RFC 6455 §9.1 with the lists of RFC 9110 §5.6.1.2; undefined if it is malformed. */
export function readList(text: string): Listed[] | undefined {
  const members = cut(text, ",")?.filter((member) => member !== "");
  const listed = members?.map(readMember);
  return listed?.every((one) => one !== undefined) ? listed : undefined;
}

function readMember(member: string): Listed | undefined {
  const [name = "", ...rest] = cut(member, ";") ?? [];
  const params = rest.map(readParam);
  return isToken(name) && params.every((param) => param !== undefined)
    ? { name, params }
    : undefined;
}

function readParam(text: string): readonly [string, string | true] | undefined {
  const [name = "", value, more] = cut(text, "=") ?? [];
  if (!isToken(name) || more !== undefined) return undefined;
  if (value === undefined) return [name, true];
  const meant = unquoted(value);
  return isToken(meant) ? [name, meant] : undefined;
}

// RFC 9110 §5.6.4.
function unquoted(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  let text = "";
  for (let at = 1; at < value.length - 1; at++) {
    if (value[at] === "\\") at++;
    text += value[at];
  }
  return text;
}

/** The pieces between separators outside of quotes, trimmed; undefined if a quote does not end. */
function cut(text: string, separator: string): string[] | undefined {
  const pieces = [""];
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (isQuoted && character === "\\") {
      pieces.push(pieces.pop()! + character + (text[++at] ?? ""));
      continue;
    }
    if (character === '"') isQuoted = !isQuoted;
    if (!isQuoted && character === separator) pieces.push("");
    else pieces.push(pieces.pop()! + character);
  }
  return isQuoted ? undefined : pieces.map((piece) => piece.replace(/^[ \t]+|[ \t]+$/g, ""));
}

const FLAGS = ["server_no_context_takeover", "client_no_context_takeover"];
const BITS = ["server_max_window_bits", "client_max_window_bits"];
const WINDOWS = ["8", "9", "10", "11", "12", "13", "14", "15"];

/** What permessage-deflate is asked for; undefined if the parameters are invalid. */
export function readAsked({ params }: Listed): Asked | undefined {
  const names = params.map(([name]) => name);
  if (new Set(names).size < names.length) return undefined;
  const isValid = ([name, value]: Listed["params"][number]): boolean => {
    if (FLAGS.includes(name)) return value === true;
    // RFC 7692 §7.1.2.2: a client may leave the size to the server.
    if (value === true) return name === "client_max_window_bits";
    return BITS.includes(name) && WINDOWS.includes(value);
  };
  if (!params.every(isValid)) return undefined;
  const bits = params.filter(([name]) => BITS.includes(name));
  return {
    flags: new Set(names.filter((name) => FLAGS.includes(name))),
    bits: new Map(bits.map(([name, value]) => [name, value === true ? true : Number(value)])),
  };
}

/** Whether a response answers an offer (RFC 7692 §7.1.1, §7.1.2). */
export function answers(response: Asked, offer: Asked): boolean {
  const server = (asked: Asked) => asked.bits.get("server_max_window_bits");
  const client = (asked: Asked) => asked.bits.get("client_max_window_bits");
  const isWithin = (size: number | true | undefined, most: number | true | undefined) =>
    typeof size === "number" && (most === true || size <= most!);
  if (offer.flags.has(FLAGS[0]!) && !response.flags.has(FLAGS[0]!)) return false;
  if (server(offer) !== undefined && !isWithin(server(response), server(offer))) return false;
  if (client(response) === undefined) return true;
  return client(offer) !== undefined && isWithin(client(response), client(offer));
}
