import type { LimitName, Role } from "@upgrade/core";
import { type Action, actionsOf, lengthOf } from "../stories/actions.ts";
import { blockOctets, unescaped } from "../stories/octet-text.ts";
import { ask, perform } from "../stories/play.ts";
import type { Case } from "../stories/read-fixtures.ts";
import { Transcript } from "../stories/transcript.ts";

/** A message of ours: its head, and the content that directly follows it. */
export interface OurMessage {
  readonly head: Action;
  /** Why HttpConnection refuses it. */
  readonly refused: string | undefined;
  readonly body: readonly Uint8Array[];
  readonly trailers: Action["fields"];
  /** It is complete. */
  readonly isWhole: boolean;
}

/** A story, step by step, as seen from outside the connection. */
export type Step =
  | { readonly kind: "bytes"; readonly octets: Uint8Array }
  | { readonly kind: "end-of-file" }
  | { readonly kind: "send"; readonly line: number; readonly ourMessage: OurMessage }
  | {
      readonly kind: "interim";
      readonly line: number;
      readonly action: Action;
      readonly refused: string | undefined;
    }
  /** Continues a message: `data`, or its end. */
  | { readonly kind: "more"; readonly action: Action }
  /** A server without a request has waited long enough. */
  | { readonly kind: "wait" }
  /** This exchange is to be the last. */
  | { readonly kind: "retire" }
  | { readonly kind: "wire"; readonly line: number; readonly octets: Uint8Array }
  /** What the application has received since the beginning; `begins`: it may have received more. */
  | {
      readonly kind: "received";
      readonly line: number;
      readonly lines: readonly string[];
      readonly begins: boolean;
    };

/** What happens to the transport: nothing; ended cleanly; aborted, visibly to the peer; released. */
export type End = "open" | "ended" | "failed" | "switched" | "either";

export interface Script {
  readonly role: Role;
  readonly asks: string | undefined;
  readonly limits: { readonly [Name in LimitName]?: number };
  /** The field lines of every received head. */
  readonly fields: readonly string[];
  readonly steps: readonly Step[];
  readonly end: End;
  /** The status of the refusal that the peer must read. */
  readonly refusal: number | undefined;
  /** The statuses that the peer reads from a server, in order, if its bytes are not in the story. */
  readonly statuses: readonly string[] | undefined;
  /** The peer has broken the rules, or left a message incomplete. */
  readonly fails: boolean;
  /** The peer has begun a message, or owes a response, and has not ended it. */
  readonly owes: boolean;
  /** The client has ended its side after its last message. */
  readonly peerEnded: boolean;
  /** The bytes that are not HTTP at the end of the story. */
  readonly readBuf: Uint8Array;
  /** All bytes of the peer. */
  readonly length: number;
  /** Where the story ends. */
  readonly line: number;
}

/** What a story expects of a driven connection. HttpConnection decides which actions are refused. */
export function scriptOf(story: Case): Script {
  const transcript = new Transcript(story.role, story.limits, true);
  const { connection } = transcript;
  if (story.asks !== undefined) ask(connection, story.asks);
  transcript.drain();
  const steps: Step[] = [];
  const received: string[] = [];
  for (const { kind, lines, line } of story.blocks) {
    if (kind === "http") {
      const octets = blockOctets(lines);
      transcript.receive(octets.slice());
      steps.push({ kind: "bytes", octets });
    } else if (kind === "wire") {
      steps.push({ kind, line, octets: blockOctets(lines) });
    } else if (kind === "events") {
      for (const entry of lines) record(received, entry);
      // The driver begins the next cycle by itself.
      steps.push({ kind: "received", line, lines: [...received], begins: connection.cycleIsOver });
    } else {
      const actions = actionsOf({ kind, lines, line });
      const answers = actions.some(({ words }) => words[0] === "response");
      const unasked = connection.ourState === "idle" && transcript.fault === undefined;
      const waits = story.role === "server" && answers && unasked;
      const done = stepsOf(actions, transcript, line);
      if (waits) received.push("error HEAD_TIMEOUT phase=head");
      steps.push(...(waits ? [{ kind: "wait" } as const] : done));
    }
  }
  const [end, refusal] = endOf(transcript, story);
  const { role, asks, limits } = story;
  const octets = steps.map((step) => (step.kind === "bytes" ? step.octets.length : 0));
  return {
    role,
    asks,
    limits,
    fields: transcript.takeLines().filter((line) => line.startsWith("  field ")),
    steps,
    end,
    refusal,
    statuses: statusesOf(steps, refusal),
    fails: transcript.fault !== undefined || received.at(-1)?.startsWith("error ") === true,
    owes: owesMessage(received, story),
    peerEnded: connection.states.client === "closed",
    readBuf: readBufOf(story),
    length: octets.reduce((sum, length) => sum + length, 0),
    line: story.blocks.at(-1)!.line,
  };
}

function owesMessage(received: readonly string[], { asks }: Case): boolean {
  const entry = received.filter((line) => !line.startsWith("error ") && !line.startsWith("  "));
  return entry.length === 0 ? asks !== undefined : entry.at(-1) !== "end-of-message";
}

function readBufOf({ blocks }: Case): Uint8Array {
  const entry = /^readBuf "(.*)"$/.exec(blocks.at(-1)!.lines.at(-1) ?? "");
  return unescaped(entry?.[1] ?? "");
}

// Omits what an application cannot observe: states, expectations, the moment of late events.
function record(received: string[], entry: string): void {
  const data = /^data "(.*)"$/.exec(entry);
  const before = /^data "(.*)"$/.exec(received.at(-1) ?? "");
  if (data !== null && before !== null) {
    received[received.length - 1] = `data "${before[1]}${data[1]}"`;
  } else if (/^(request|response|end-of-message|data|error| {2}trailer) ?/.test(entry)) {
    received.push(entry.replace(/ expects-continue$/, ""));
  } else if (entry.startsWith("interim-response ")) {
    received.push(entry.replace(/ HTTP\/1\.0$/, ""));
  }
}

interface Tried {
  readonly action: Action;
  readonly refused: string | undefined;
}

function stepsOf(actions: readonly Action[], transcript: Transcript, line: number): Step[] {
  const tried = actions.map((action) => ({ action, refused: perform(transcript, action, []) }));
  const steps: Step[] = [];
  for (let i = 0; i < tried.length; i++) {
    const { action, refused } = tried[i]!;
    switch (action.words[0]) {
      case "request":
      case "pipeline":
      case "response": {
        const following = refused === undefined ? contentAfter(tried.slice(i + 1)) : [];
        steps.push({ kind: "send", line, ourMessage: messageFrom(action, refused, following) });
        i += following.length;
        break;
      }
      case "interim-response":
        steps.push({ kind: "interim", line, action, refused });
        break;
      case "data":
      case "end-of-message":
        if (refused === undefined) steps.push({ kind: "more", action });
        break;
      case "end-of-file":
        steps.push({ kind: "end-of-file" });
        break;
      case "end-persistence":
        steps.push({ kind: "retire" });
        break;
      default:
      // The driver itself handles the next cycle and the end of our side.
    }
  }
  return steps;
}

// `data` and the end, up to the next action. What HttpConnection refused was not sent.
function contentAfter(tried: readonly Tried[]): Tried[] {
  const end = tried.findIndex(({ action }) => !/^(data|end-of-message)$/.test(action.words[0]!));
  return tried.slice(0, end === -1 ? tried.length : end);
}

function messageFrom(
  head: Action,
  refused: string | undefined,
  following: readonly Tried[],
): OurMessage {
  const content = following.filter((one) => one.refused === undefined).map(({ action }) => action);
  const data = content.filter(({ words }) => words[0] === "data");
  const end = content.find(({ words }) => words[0] === "end-of-message");
  const body = data.map(({ rest }) => unescaped(rest));
  const length = lengthOf(head) ?? 0;
  return {
    head,
    refused,
    body,
    trailers: end?.fields ?? [],
    isWhole: end !== undefined || length === Buffer.concat(body).length || refused !== undefined,
  };
}

function endOf(transcript: Transcript, { role }: Case): [End, number | undefined] {
  const { oursAtFault, connection, fault } = transcript;
  const { client, server } = connection.states;
  if (fault !== undefined) {
    const answers = oursAtFault === "idle" || oursAtFault === "send-response";
    const answered = role === "server" && answers && fault.status !== undefined;
    return answered ? ["ended", fault.status] : ["failed", undefined];
  }
  if (connection.hasSwitched) return ["switched", undefined];
  // An answered upload may be stopped, or continue for a while.
  if (client === "send-body" && server === "done" && role === "client")
    return ["either", undefined];
  const over = (state: string): boolean => state === "must-close" || state === "closed";
  // A service completes a response that the story leaves without an end.
  const answered = over(server) || (server === "send-body" && !connection.persists);
  const ended = role === "server" ? answered : over(server) && over(client);
  return [ended ? "ended" : "open", undefined];
}

function statusesOf(steps: readonly Step[], refusal: number | undefined): string[] | undefined {
  if (steps.some(({ kind }) => kind === "wire")) return undefined;
  const statuses = steps.flatMap((step) => {
    if (step.kind === "wait") return ["408"];
    if (step.kind === "interim") return step.refused === undefined ? [step.action.words[1]!] : [];
    if (step.kind !== "send" || step.ourMessage.refused !== undefined) return [];
    return [step.ourMessage.head.words[1]!];
  });
  // If the story sends the refusal itself, the driver has already sent it.
  const isSent = refusal === undefined || statuses.at(-1) === String(refusal);
  return isSent ? statuses : [...statuses, String(refusal)];
}
