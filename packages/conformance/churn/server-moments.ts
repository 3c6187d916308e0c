import type { Io, Parts } from "@upgrade/core/io";
import { handshake, type Service } from "@upgrade/server";
import { answer, head } from "../src/against.ts";
import { PROPOSAL_HEAD } from "./client-moments.ts";
import { cut, type Stage, type Standing, tell, turn } from "./stage.ts";

const NEVER = (): Promise<never> => new Promise(() => {});
const POST = head("POST /", "Content-Length: 1000");

async function serve({ io, clock }: Stage, service: Service<Io>): Promise<Standing> {
  return handshake(io, service, { clock });
}

async function told(stage: Stage, service: Service<Io>, bytes: string): Promise<Standing> {
  const standing = await serve(stage, service);
  await tell(stage.peer, bytes);
  await turn();
  return standing;
}

/** Where a server's connection may be when it ends. */
export const SERVER_MOMENTS: Readonly<Record<string, (stage: Stage) => Promise<Standing>>> = {
  "before the first byte": (stage) => serve(stage, NEVER),
  "in a head": (stage) => told(stage, NEVER, cut(head("GET /", "A: b"), stage.dice)),
  "in a body": (stage) =>
    told(
      stage,
      async ({ body }) => {
        for await (const _ of body);
        return { status: 200 };
      },
      POST + cut("x".repeat(1_000), stage.dice),
    ),
  "in a body nobody reads": (stage) =>
    told(stage, NEVER, POST + cut("x".repeat(1_000), stage.dice)),
  "in a body that is drained": (stage) =>
    told(stage, () => ({ status: 200 }), POST + cut("x".repeat(1_000), stage.dice)),
  "while a service waits": (stage) => told(stage, NEVER, head("GET /")),
  "while a service listens to its signal": (stage) =>
    told(
      stage,
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
      head("GET /"),
    ),
  "in an answer": (stage) =>
    told(stage, () => ({ status: 200, body: unfinished() }), head("GET /")),
  "behind an answer": (stage) => told(stage, () => ({ status: 200, body: "ok" }), head("GET /")),
  "behind the last answer": (stage) =>
    told(stage, () => ({ status: 200 }), head("GET /", "Connection: close")),
  "at a fault": (stage) => told(stage, NEVER, "GET\r\n\r\n"),
  "at a proposal": (stage) => told(stage, NEVER, `${PROPOSAL_HEAD}early`),
  "behind a refusal": (stage) => told(stage, () => ({ status: 403 }), PROPOSAL_HEAD),
  "at the switch": async (stage) => {
    const standing = await serve(stage, (request) => {
      request.switchTo("chat").catch(() => {});
    });
    void tell(stage.peer, `${PROPOSAL_HEAD}early`);
    for (let left = stage.dice.below(12); left > 0; left--) await Promise.resolve();
    return standing;
  },
  "behind the switch": async (stage) => {
    let parts: Parts<Io> | undefined;
    const standing = await told(
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
  "behind a switch nobody claims": (stage) =>
    told(
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

/** A body that has begun and does not go on. */
export async function* unfinished(): AsyncGenerator<string> {
  yield answer("this is a beginning");
  await NEVER();
}
