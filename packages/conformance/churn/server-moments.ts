import type { Io, Parts } from "@upgrade/core/io";
import { handshake, type Service } from "@upgrade/server";
import { answer, head } from "../src/messages.ts";
import { PROPOSAL_HEAD } from "./client-moments.ts";
import { cut, deliver, type Stage, type Standing, turn } from "./stage.ts";

const NEVER = (): Promise<never> => new Promise(() => {});
const POST = head("POST /", "Content-Length: 1000");

async function serve({ io, clock }: Stage, service: Service<Io>): Promise<Standing> {
  return handshake(io, service, { clock });
}

async function receiving(stage: Stage, service: Service<Io>, bytes: string): Promise<Standing> {
  const standing = await serve(stage, service);
  await deliver(stage.peer, bytes);
  await turn();
  return standing;
}

/** The states in which a server's connection may end. */
export const SERVER_MOMENTS: Readonly<Record<string, (stage: Stage) => Promise<Standing>>> = {
  "before the first byte": (stage) => serve(stage, NEVER),
  "in a head": (stage) => receiving(stage, NEVER, cut(head("GET /", "A: b"), stage.dice)),
  "in a body": (stage) =>
    receiving(
      stage,
      async ({ body }) => {
        for await (const _ of body);
        return { status: 200 };
      },
      POST + cut("x".repeat(1_000), stage.dice),
    ),
  "in an unread body": (stage) =>
    receiving(stage, NEVER, POST + cut("x".repeat(1_000), stage.dice)),
  "in a body being drained": (stage) =>
    receiving(stage, () => ({ status: 200 }), POST + cut("x".repeat(1_000), stage.dice)),
  "while a service waits": (stage) => receiving(stage, NEVER, head("GET /")),
  "while a service listens to its signal": (stage) =>
    receiving(
      stage,
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
      head("GET /"),
    ),
  "in a response": (stage) =>
    receiving(stage, () => ({ status: 200, body: unfinished() }), head("GET /")),
  "after a response": (stage) =>
    receiving(stage, () => ({ status: 200, body: "ok" }), head("GET /")),
  "after the last response": (stage) =>
    receiving(stage, () => ({ status: 200 }), head("GET /", "Connection: close")),
  "at a fault": (stage) => receiving(stage, NEVER, "GET\r\n\r\n"),
  "at a proposal": (stage) => receiving(stage, NEVER, `${PROPOSAL_HEAD}early`),
  "after a refusal": (stage) => receiving(stage, () => ({ status: 403 }), PROPOSAL_HEAD),
  "at the switch": async (stage) => {
    const standing = await serve(stage, (request) => {
      request.switchTo("chat").catch(() => {});
    });
    void deliver(stage.peer, `${PROPOSAL_HEAD}early`);
    for (let left = stage.dice.below(12); left > 0; left--) await Promise.resolve();
    return standing;
  },
  "after the switch": async (stage) => {
    let parts: Parts<Io> | undefined;
    const standing = await receiving(
      stage,
      (request) => {
        request.switchTo("chat").then(
          (taken) => {
            parts = taken;
          },
          () => {},
        );
      },
      `${PROPOSAL_HEAD}early`,
    );
    await stage.peer.readHead();
    for (let left = 20; left > 0 && parts === undefined; left--) await turn();
    return { ...standing, parts: parts! };
  },
  "after an unclaimed switch": (stage) =>
    receiving(
      stage,
      () => ({
        status: 101,
        headers: [
          ["Connection", "Upgrade"],
          ["Upgrade", "chat"],
        ],
      }),
      PROPOSAL_HEAD,
    ),
};

/** A body that begins and then stalls. */
export async function* unfinished(): AsyncGenerator<string> {
  yield answer("this is a beginning");
  await NEVER();
}
