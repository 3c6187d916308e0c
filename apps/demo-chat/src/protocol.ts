// frames ↔ [chat.v1] ↔ room: what the text messages say, as JSON

/** The subprotocol's name, as it stands in Sec-WebSocket-Protocol. */
export const SUBPROTOCOL = "chat.v1";

/** A whole text message; the server closes with 1009 at the first byte beyond. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Long enough for a name, short enough for a line of a terminal. */
export const MAX_NAME_LENGTH = 24;

/** What the server tells. `you` is null as long as somebody has no name. */
export type ChatEvent =
  | { readonly type: "welcome"; readonly you: string | null; readonly people: readonly string[] }
  | { readonly type: "joined"; readonly name: string }
  | { readonly type: "left"; readonly name: string }
  | { readonly type: "message"; readonly from: string; readonly text: string }
  | { readonly type: "error"; readonly reason: string };

/** What people do. */
export type ChatAction =
  | { readonly type: "hello"; readonly name: string }
  | { readonly type: "message"; readonly text: string };

/** The action in a message, or what is wrong with it. */
export function readAction(json: string): ChatAction | { readonly wrong: string } {
  const value = parse(json);
  if (value === undefined) return { wrong: "a message is a JSON object" };
  const { type, name, text } = value;
  if (type === "hello" && typeof name === "string") return { type, name };
  if (type === "message" && typeof text === "string") return { type, text };
  return { wrong: 'expected {"type":"hello","name":…} or {"type":"message","text":…}' };
}

/** The event in a message of the server; undefined for what chat.v1 does not know. */
export function readEvent(json: string): ChatEvent | undefined {
  const value = parse(json);
  if (value === undefined) return undefined;
  const { type, you, people, name, from, text, reason } = value;
  const names = Array.isArray(people) && people.every((one) => typeof one === "string");
  if (type === "welcome" && names && (you === null || typeof you === "string")) {
    return { type, you, people };
  }
  if ((type === "joined" || type === "left") && typeof name === "string") return { type, name };
  if (type === "message" && typeof from === "string" && typeof text === "string") {
    return { type, from, text };
  }
  if (type === "error" && typeof reason === "string") return { type, reason };
  return undefined;
}

/**
 * A name that can stand in one line everywhere: no control or format characters, no runs of white
 * space. Undefined where nothing is left, or too much.
 */
export function cleanName(wanted: string): string | undefined {
  const name = wanted.normalize("NFC").replace(/\p{C}/gu, "").replace(/\s+/gu, " ").trim();
  const length = [...name].length;
  return length >= 1 && length <= MAX_NAME_LENGTH ? name : undefined;
}

function parse(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
