import type { LimitName, Role } from "@upgrade/core";
import { type Deed, deedsOf, lengthOf } from "./deeds.ts";
import { blockOctets, unescaped } from "./octet-text.ts";
import { ask, perform } from "./play.ts";
import type { Case } from "./read-fixtures.ts";
import { Transcript } from "./transcript.ts";

/** A message of ours: its head, and as much of its content as stands right behind it. */
export interface Said {
  readonly head: Deed;
  /** Why the heart would not say it. */
  readonly refused: string | undefined;
  readonly body: readonly Uint8Array[];
  readonly trailers: Deed["fields"];
  /** Nothing of it comes later. */
  readonly isWhole: boolean;
}

/** A story, step by step, as those see it who stand outside of a connection. */
export type Step =
  | { readonly kind: "bytes"; readonly octets: Uint8Array }
  | { readonly kind: "end-of-file" }
  | { readonly kind: "say"; readonly line: number; readonly said: Said }
  | {
      readonly kind: "inform";
      readonly line: number;
      readonly deed: Deed;
      readonly refused: string | undefined;
    }
  /** Goes on with a message that was begun: `data`, or its end. */
  | { readonly kind: "more"; readonly deed: Deed }
  /** A server that was not asked has waited enough. */
  | { readonly kind: "wait" }
  /** This exchange is to be the last. */
  | { readonly kind: "retire" }
  | { readonly kind: "wire"; readonly line: number; readonly octets: Uint8Array }
  /** What the application has heard since the beginning; `begins`: it may have heard more. */
  | {
      readonly kind: "heard";
      readonly line: number;
      readonly lines: readonly string[];
      readonly begins: boolean;
    };

/** What becomes of the transport: nothing; ended, in order; given up, so that the peer sees it; let go. */
export type End = "open" | "ended" | "failed" | "switched" | "either";

export interface Score {
  readonly role: Role;
  readonly asks: string | undefined;
  readonly limits: { readonly [Name in LimitName]?: number };
  /** The field lines of every head that is heard. */
  readonly fields: readonly string[];
  readonly steps: readonly Step[];
  readonly end: End;
  /** The status of the refusal that the peer must read. */
  readonly refusal: number | undefined;
  /** The statuses that the peer reads of a server, in order, where its bytes are not in the story. */
  readonly statuses: readonly string[] | undefined;
  /** The peer has broken the rules, or left a message half said. */
  readonly fails: boolean;
  /** The peer has begun, or been asked for, a message, and not ended it. */
  readonly owes: boolean;
  /** The client has ended its side behind all it had to say. */
  readonly peerEnded: boolean;
  /** What is not HTTP's, as the story ends. */
  readonly readBuf: Uint8Array;
  /** All bytes of the peer. */
  readonly length: number;
  /** Where the story ends. */
  readonly line: number;
}

/** What a story asks of a driven connection. The heart tells which deeds it would refuse. */
export function scoreOf(story: Case): Score {
  const transcript = new Transcript(story.role, story.limits, true);
  const { connection } = transcript;
  if (story.asks !== undefined) ask(connection, story.asks);
  transcript.drain();
  const steps: Step[] = [];
  const heard: string[] = [];
  for (const { kind, lines, line } of story.blocks) {
    if (kind === "http") {
      const octets = blockOctets(lines);
      transcript.receive(octets.slice());
      steps.push({ kind: "bytes", octets });
    } else if (kind === "wire") {
      steps.push({ kind, line, octets: blockOctets(lines) });
    } else if (kind === "events") {
      for (const told of lines) hear(heard, told);
      // The driver does not wait to be told that the next cycle may begin.
      steps.push({ kind: "heard", line, lines: [...heard], begins: connection.cycleIsOver });
    } else {
      const deeds = deedsOf({ kind, lines, line });
      const answers = deeds.some(({ words }) => words[0] === "response");
      const unasked = connection.ourState === "idle" && transcript.fault === undefined;
      const waits = story.role === "server" && answers && unasked;
      const done = stepsOf(deeds, transcript, line);
      if (waits) heard.push("error HEAD_TIMEOUT phase=head");
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
    fails: transcript.fault !== undefined || heard.at(-1)?.startsWith("error ") === true,
    owes: isOwed(heard, story),
    peerEnded: connection.states.client === "closed",
    readBuf: readBufOf(story),
    length: octets.reduce((sum, length) => sum + length, 0),
    line: story.blocks.at(-1)!.line,
  };
}

function isOwed(heard: readonly string[], { asks }: Case): boolean {
  const told = heard.filter((line) => !line.startsWith("error ") && !line.startsWith("  "));
  return told.length === 0 ? asks !== undefined : told.at(-1) !== "end-of-message";
}

function readBufOf({ blocks }: Case): Uint8Array {
  const told = /^readBuf "(.*)"$/.exec(blocks.at(-1)!.lines.at(-1) ?? "");
  return unescaped(told?.[1] ?? "");
}

// What an application cannot see is left out: states, expectations, the moment of what comes too late.
function hear(heard: string[], told: string): void {
  const data = /^data "(.*)"$/.exec(told);
  const before = /^data "(.*)"$/.exec(heard.at(-1) ?? "");
  if (data !== null && before !== null) {
    heard[heard.length - 1] = `data "${before[1]}${data[1]}"`;
  } else if (/^(request|response|end-of-message|data|error| {2}trailer) ?/.test(told)) {
    heard.push(told.replace(/ expects-continue$/, ""));
  } else if (told.startsWith("informational-response ")) {
    heard.push(told.replace(/ HTTP\/1\.0$/, ""));
  }
}

interface Tried {
  readonly deed: Deed;
  readonly refused: string | undefined;
}

function stepsOf(deeds: readonly Deed[], transcript: Transcript, line: number): Step[] {
  const tried = deeds.map((deed) => ({ deed, refused: perform(transcript, deed, []) }));
  const steps: Step[] = [];
  for (let i = 0; i < tried.length; i++) {
    const { deed, refused } = tried[i]!;
    switch (deed.words[0]) {
      case "request":
      case "pipeline":
      case "response": {
        const behind = refused === undefined ? contentBehind(tried.slice(i + 1)) : [];
        steps.push({ kind: "say", line, said: saidOf(deed, refused, behind) });
        i += behind.length;
        break;
      }
      case "informational-response":
        steps.push({ kind: "inform", line, deed, refused });
        break;
      case "data":
      case "end-of-message":
        if (refused === undefined) steps.push({ kind: "more", deed });
        break;
      case "end-of-file":
        steps.push({ kind: "end-of-file" });
        break;
      case "end-persistence":
        steps.push({ kind: "retire" });
        break;
      default:
      // The next cycle, and the end of our side, are the driver's own business.
    }
  }
  return steps;
}

// `data` and the end, up to the next thing that somebody does. What the heart refused was not said.
function contentBehind(tried: readonly Tried[]): Tried[] {
  const end = tried.findIndex(({ deed }) => !/^(data|end-of-message)$/.test(deed.words[0]!));
  return tried.slice(0, end === -1 ? tried.length : end);
}

function saidOf(head: Deed, refused: string | undefined, behind: readonly Tried[]): Said {
  const content = behind.filter((one) => one.refused === undefined).map(({ deed }) => deed);
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
  // An upload that was answered may be stopped, or go on for a while.
  if (client === "send-body" && server === "done" && role === "client")
    return ["either", undefined];
  const over = (state: string): boolean => state === "must-close" || state === "closed";
  // A service says the whole of an answer that the story leaves without its end.
  const answered = over(server) || (server === "send-body" && !connection.persists);
  const ended = role === "server" ? answered : over(server) && over(client);
  return [ended ? "ended" : "open", undefined];
}

function statusesOf(steps: readonly Step[], refusal: number | undefined): string[] | undefined {
  if (steps.some(({ kind }) => kind === "wire")) return undefined;
  const statuses = steps.flatMap((step) => {
    if (step.kind === "wait") return ["408"];
    if (step.kind === "inform") return step.refused === undefined ? [step.deed.words[1]!] : [];
    if (step.kind !== "say" || step.said.refused !== undefined) return [];
    return [step.said.head.words[1]!];
  });
  // Where the story says the refusal itself, the driver has said it before.
  const isSaid = refusal === undefined || statuses.at(-1) === String(refusal);
  return isSaid ? statuses : [...statuses, String(refusal)];
}
