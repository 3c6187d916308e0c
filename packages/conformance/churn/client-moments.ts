import { type ClientRequest, handshake } from "@upgrade/client";
import { answer, GET, head, POST } from "../src/messages.ts";
import { ANSWER, PROPOSAL } from "../src/switching.ts";
import { unfinished } from "./server-moments.ts";
import { cut, deliver, type Stage, type Standing, turn } from "./stage.ts";

export const PROPOSAL_HEAD = head("GET /", "Connection: Upgrade", "Upgrade: chat");

const RESPONSE = answer("200 OK", "Content-Length: 1000");

async function ask(stage: Stage, ...requests: readonly ClientRequest[]) {
  const { sender, connection } = await handshake(stage.io, { clock: stage.clock });
  const answers = requests.map((request) => sender.sendRequest(request, { signal: stage.signal }));
  if (requests.length > 0) await stage.peer.readHead();
  return { standing: { sender, connection }, answers };
}

async function receiving(stage: Stage, request: ClientRequest, bytes: string) {
  const { standing, answers } = await ask(stage, request);
  await deliver(stage.peer, bytes);
  await turn();
  return { ...standing, answer: answers[0]! };
}

/** The states in which a client's connection may end. */
export const CLIENT_MOMENTS: Readonly<Record<string, (stage: Stage) => Promise<Standing>>> = {
  "before the first byte": async (stage) => (await ask(stage)).standing,
  "in a head": (stage) => receiving(stage, GET, cut(RESPONSE, stage.dice)),
  "in a body": async (stage) => {
    const standing = await receiving(stage, GET, RESPONSE + cut("x".repeat(1_000), stage.dice));
    standing.answer.then(({ body }) => body.bytes()).catch(() => {});
    return standing;
  },
  "in an unread body": (stage) =>
    receiving(stage, GET, RESPONSE + cut("x".repeat(1_000), stage.dice)),
  "in a canceled body": async (stage) => {
    const standing = await receiving(stage, GET, RESPONSE + cut("x".repeat(1_000), stage.dice));
    standing.answer.then(({ body }) => body.cancel()).catch(() => {});
    return standing;
  },
  "while a response is awaited": async (stage) => (await ask(stage, GET, GET, GET)).standing,
  "while ready() waits": async (stage) => {
    const { standing } = await ask(stage, GET);
    void standing.sender.ready();
    return standing;
  },
  "in an upload": async (stage) => (await ask(stage, { ...POST, body: unfinished() })).standing,
  "in an upload that waits for 100": async (stage) => {
    const headers = { Host: "a.test", Expect: "100-continue" };
    return (await ask(stage, { ...POST, headers, body: unfinished() })).standing;
  },
  "in an upload that is answered": (stage) =>
    receiving(stage, { ...POST, body: unfinished() }, answer("200 OK", "Content-Length: 0")),
  "after an exchange": (stage) => receiving(stage, GET, answer("200 OK", "Content-Length: 0")),
  "after the last exchange": (stage) =>
    receiving(stage, GET, answer("200 OK", "Content-Length: 0", "Connection: close")),
  "at a fault": (stage) => receiving(stage, GET, "HTTP/1.1\r\n\r\n"),
  "at a proposal": async (stage) => (await ask(stage, PROPOSAL.upgrade)).standing,
  "after a refusal": (stage) =>
    receiving(stage, PROPOSAL.upgrade, answer("403 Forbidden", "Content-Length: 0")),
  "at the switch": async (stage) => {
    const { standing } = await ask(stage, PROPOSAL.upgrade);
    void deliver(stage.peer, `${ANSWER.upgrade}early`);
    for (let left = stage.dice.below(12); left > 0; left--) await Promise.resolve();
    return standing;
  },
  "after the switch": async (stage) => {
    const { standing } = await ask(stage, PROPOSAL.upgrade);
    await deliver(stage.peer, `${ANSWER.upgrade}early`);
    return { ...standing, parts: await standing.connection.withoutShutdown() };
  },
  "after an unclaimed switch": (stage) => receiving(stage, PROPOSAL.upgrade, ANSWER.upgrade),
};
