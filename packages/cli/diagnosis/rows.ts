// Every way an upgrade breaks that the page shows, and the verdict on it.

import http2 from "node:http2";
import { MISBEHAVIORS } from "../src/serve/misbehaviors.ts";
import type { VerdictId } from "../src/verdicts/verdicts.ts";
import { startHaproxy, startNginx, startSquid } from "./programs.ts";
import type { Stage } from "./stage.ts";

/** What is tried, by whatever program. */
export interface Attempt {
  readonly url: string;
  /** An authority that is trusted. */
  readonly ca?: string;
  readonly body?: string;
  readonly proxy?: string;
  /** Our own options. */
  readonly idle?: string;
}

export interface Row {
  readonly title: string;
  /** A program of the machine that it needs. */
  readonly needs?: "nginx" | "haproxy" | "squid";
  /** It takes seconds; misbehaviors.test.ts plays it on a clock. */
  readonly waits?: true;
  /** More than one if it depends on the network. */
  readonly verdicts: readonly VerdictId[];
  readonly arrange: (stage: Stage) => Promise<Attempt>;
}

/** An end of ours with one misbehavior. */
function misbehaving(
  title: string,
  kind: keyof typeof MISBEHAVIORS,
  verdict: VerdictId,
  more: { readonly waits?: true; readonly idle?: string } = {},
): Row {
  const { idle, ...rest } = more;
  return {
    title,
    verdicts: [verdict],
    ...rest,
    arrange: async (stage) => {
      const port = await stage.end({ misbehavior: MISBEHAVIORS[kind] });
      return { url: `ws://127.0.0.1:${port}/`, ...(idle === undefined ? {} : { idle }) };
    },
  };
}

function secured(title: string, certificate: string, verdict: VerdictId): Row {
  return {
    title,
    verdicts: [verdict],
    arrange: async (stage) => {
      const port = await stage.end({ tls: stage.certificate(certificate) });
      return { url: `wss://localhost:${port}/`, ca: stage.fileOf("ca.cert") };
    },
  };
}

export const ROWS: readonly Row[] = [
  {
    title: "a proxy that strips `Upgrade`",
    verdicts: ["upgrade-not-relayed"],
    arrange: async (stage) => {
      const port = await stage.strippingProxy(await stage.end());
      return { url: `ws://127.0.0.1:${port}/` };
    },
  },
  {
    title: "a server that answers 200",
    verdicts: ["upgrade-ignored"],
    arrange: async (stage) => {
      const port = await stage.service(() => ({ status: 200, body: "hello\n" }));
      return { url: `ws://127.0.0.1:${port}/` };
    },
  },
  misbehaving("a proxy that lower-cases", "lower-case", "switched-lower-case"),
  {
    title: "nginx without `proxy_http_version 1.1`",
    needs: "nginx",
    verdicts: ["upgrade-not-relayed"],
    arrange: async (stage) => {
      const target = await stage.end();
      const location = `proxy_pass http://127.0.0.1:${target}; proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`;
      const port = await stage.program(startNginx(location));
      return { url: `ws://127.0.0.1:${port}/` };
    },
  },
  {
    title: "nginx without `proxy_set_header Upgrade`",
    needs: "nginx",
    verdicts: ["upgrade-not-relayed"],
    arrange: async (stage) => {
      const target = await stage.end();
      const location = `proxy_pass http://127.0.0.1:${target}; proxy_http_version 1.1;`;
      const port = await stage.program(startNginx(location));
      return { url: `ws://127.0.0.1:${port}/` };
    },
  },
  {
    title: "nginx with a server that is down",
    needs: "nginx",
    verdicts: ["gateway-failed"],
    arrange: async (stage) => {
      const location = `proxy_pass http://127.0.0.1:${await stage.closedPort()};`;
      const port = await stage.program(startNginx(location));
      return { url: `ws://127.0.0.1:${port}/` };
    },
  },
  {
    title: "haproxy, and a request with a body",
    needs: "haproxy",
    verdicts: ["body-with-upgrade"],
    arrange: async (stage) => {
      const port = await stage.program(startHaproxy(await stage.end()));
      return { url: `ws://127.0.0.1:${port}/`, body: "hello" };
    },
  },
  {
    title: "squid, which wants credentials for CONNECT",
    needs: "squid",
    verdicts: ["proxy-wants-credentials"],
    arrange: async (stage) => {
      const port = await stage.program(startSquid());
      const target = await stage.end({ tls: stage.certificate("localhost") });
      const proxy = `http://127.0.0.1:${port}`;
      return { url: `wss://localhost:${target}/`, ca: stage.fileOf("ca.cert"), proxy };
    },
  },
  misbehaving("a wrong accept key", "wrong-key", "wrong-accept-key"),
  misbehaving("an extension that was not offered", "unasked-extension", "extension-not-offered"),
  misbehaving(
    "a subprotocol that was not offered",
    "unasked-subprotocol",
    "subprotocol-not-offered",
  ),
  misbehaving("a 101 without `Connection`", "no-connection-option", "no-connection-option"),
  secured("a certificate for another name", "other", "tls-wrong-name"),
  secured("a certificate that has expired", "expired", "tls-expired"),
  {
    title: "TLS on a plain port",
    verdicts: ["plain-port"],
    arrange: async (stage) => ({ url: `wss://localhost:${await stage.end()}/` }),
  },
  {
    title: "no TLS on a port for TLS",
    verdicts: ["tls-port"],
    arrange: async (stage) => {
      const port = await stage.end({ tls: stage.certificate("localhost") });
      return { url: `ws://localhost:${port}/` };
    },
  },
  {
    title: "HTTP/2 only",
    verdicts: ["h2-only"],
    arrange: async (stage) => {
      const server = http2.createSecureServer(stage.certificate("localhost"));
      const url = `wss://localhost:${await stage.listen(server)}/`;
      return { url, ca: stage.fileOf("ca.cert") };
    },
  },
  misbehaving("a redirect, 302", "302", "redirect"),
  misbehaving("401", "401", "not-authenticated"),
  misbehaving("426", "426", "upgrade-not-relayed"),
  misbehaving("a server that never answers", "silence", "no-answer", { waits: true }),
  misbehaving("a server that resets", "reset", "reset"),
  misbehaving("a 101 in two pieces", "in-pieces", "switched-in-pieces"),
  misbehaving("half a 101", "cut-101", "head-cut"),
  misbehaving("FIN at once after the 101", "early-fin", "ended-at-once"),
  misbehaving("idle for 7 s, cut after 5 s", "idle-cut", "idle-cut", { waits: true, idle: "7" }),
  {
    title: "a name that does not resolve",
    verdicts: ["name-unknown", "name-not-resolved"],
    arrange: async () => ({ url: "ws://no-such-host.invalid/" }),
  },
  {
    title: "a port on which nothing listens",
    verdicts: ["port-refused"],
    arrange: async (stage) => ({ url: `ws://127.0.0.1:${await stage.closedPort()}/` }),
  },
];

/** Our command line for an attempt. */
export function argumentsFor({ url, ca, body, proxy, idle }: Attempt): string[] {
  const option = (name: string, value: string | undefined) =>
    value === undefined ? [] : [name, value];
  return [
    "probe",
    ...(proxy === undefined ? ["--no-proxy"] : ["--proxy", proxy]),
    ...option("--ca", ca),
    ...option("--body", body),
    ...option("--idle", idle),
    ...["--timeout", "5", url],
  ];
}
