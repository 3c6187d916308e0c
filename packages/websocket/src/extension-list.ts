// Sec-WebSocket-Extensions ↔ [extension list] ↔ negotiation: names with parameters

/** A parameter: its name, and its value, or `true` without one. */
export type ExtensionParam = readonly [name: string, value: string | true];

/** One extension of a list: verbatim, with repeated parameters. */
export interface ListedExtension {
  readonly name: string;
  readonly params: readonly ExtensionParam[];
}

// RFC 9110 §5.6.2 and §5.6.4.
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const QUOTED = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"';
const OWS = "[\\t ]*";

// RFC 6455 §9.1: extension = token *( ";" extension-param ).
const NAME = new RegExp(`${OWS}(${TOKEN})${OWS}`, "y");
const PARAM = new RegExp(`;${OWS}(${TOKEN})(?:${OWS}=${OWS}(${TOKEN}|${QUOTED}))?${OWS}`, "y");
// RFC 9110 §5.6.1.2: empty members are ignored.
const EMPTY = new RegExp(`${OWS}(?:,${OWS})*`, "y");
const IS_TOKEN = new RegExp(`^${TOKEN}$`);

/** The members of a list; undefined if it is malformed. */
export function parseExtensions(value: string): ListedExtension[] | undefined {
  const found: ListedExtension[] = [];
  let at = skip(EMPTY, value, 0);
  while (at < value.length) {
    const name = match(NAME, value, at);
    if (name === null) return undefined;
    at += name[0].length;
    const params: ExtensionParam[] = [];
    for (let param = match(PARAM, value, at); param !== null; param = match(PARAM, value, at)) {
      at += param[0].length;
      const text = unquoted(param[2]);
      // RFC 6455 §9.1: a quoted value must be a token, too.
      if (text !== true && !IS_TOKEN.test(text)) return undefined;
      params.push([param[1]!, text]);
    }
    found.push({ name: name[1]!, params });
    if (at < value.length && value[at] !== ",") return undefined;
    at = skip(EMPTY, value, at);
  }
  return found;
}

/** A list of one. */
export function formatExtension({ name, params }: ListedExtension): string {
  const words = params.map(([param, value]) => (value === true ? param : `${param}=${value}`));
  return [name, ...words].join("; ");
}

function match(pattern: RegExp, value: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(value);
}

function skip(pattern: RegExp, value: string, at: number): number {
  return at + match(pattern, value, at)![0].length;
}

function unquoted(value: string | undefined): string | true {
  if (value === undefined) return true;
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}
