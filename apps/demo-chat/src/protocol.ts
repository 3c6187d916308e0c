// frames ↔ [chat.v1] ↔ room: the JSON text messages

/** The subprotocol's name in Sec-WebSocket-Protocol. */
export const SUBPROTOCOL = "chat.v1";

/** The maximum size of a text message; the server closes with 1009 beyond it. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Long enough for a name, short enough for one line of a terminal. */
export const MAX_NAME_LENGTH = 24;

/** An event from the server. `you` is null until the client has a name. */
export type ChatEvent =
  | { readonly type: "welcome"; readonly you: string | null; readonly people: readonly string[] }
  | { readonly type: "joined"; readonly name: string }
  | { readonly type: "left"; readonly name: string }
  | { readonly type: "message"; readonly from: string; readonly text: string }
  | { readonly type: "error"; readonly reason: string }
  | { readonly type: "pong" };

/** An action of a client. `ping` is answered with `pong`: a page can send no ping frame. */
export type ChatAction =
  | { readonly type: "hello"; readonly name: string }
  | { readonly type: "ping" }
  | { readonly type: "message"; readonly text: string };

/** Why the server ends a conversation (RFC 6455 §7.4). Frames that break RFC 6455 are ended by ws. */
export const CLOSINGS = {
  binary: { code: 1003, reason: "this chat takes text messages only" },
  malformed: { code: 4400, reason: "that is no message of this protocol" },
  flood: { code: 1008, reason: "too many messages: 20 at once, then 5 a second" },
  stopping: { code: 1001, reason: "the server is going away" },
  restarting: { code: 1012, reason: "the server is restarting" },
} as const;

/** Parses an action, or describes what is wrong with it. */
export function readAction(json: string): ChatAction | { readonly wrong: string } {
  const value = parse(json);
  if (value === undefined) return { wrong: "a message is a JSON object" };
  const { type, name, text } = value;
  if (type === "hello" && typeof name === "string") return { type, name };
  if (type === "message" && typeof text === "string") return { type, text };
  if (type === "ping") return { type };
  return { wrong: 'expected {"type":"hello","name":…} or {"type":"message","text":…}' };
}

/** Parses an event; undefined if it is not part of chat.v1. */
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
  if (type === "pong") return { type };
  return undefined;
}

/**
 * Cleans a name for use in one line: no control or format characters, no runs of white space.
 * Undefined if the result is empty or too long.
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

/** The room without a name in its address. */
export const LOBBY = "lobby";

/** The room of a page's address: `/` is the lobby, `/r/garden` is the garden. Undefined for others. */
export function roomOfPath(path: string): string | undefined {
  if (path === "/") return LOBBY;
  return /^\/r\/([a-z0-9][a-z0-9-]{0,31})$/.exec(path)?.[1];
}
