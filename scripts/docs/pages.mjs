// The generated pages, each made from one table of the core.

export const NOTE = (source) =>
  `<!-- Made by scripts/docs.mjs from ${source}. Change it there, then run: npm run docs -->`;

/** Path and text of each page. */
export function generatedPages({ codes, limits, unbounded, states, moves, couplings, lifecycle }) {
  return {
    "docs/errors.md": errorsPage(codes),
    "docs/limits.md": limitsPage(limits, unbounded),
    "docs/lifecycle.md": lifecyclePage(lifecycle),
    "docs/state-machine.md": statesPage(states, moves, couplings),
  };
}

export function table(head, rows) {
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function page(...parts) {
  return `${parts.join("\n\n")}\n`;
}

const FAULTS = {
  REMOTE_CODES: [
    "## The peer's: `RemoteProtocolError`",
    "The peer broke a rule. The connection is not used again. A server that has sent no final head yet answers with the status and closes; a client has nobody to answer.",
  ],
  LOCAL_CODES: [
    "## Yours: `LocalProtocolError`",
    "Thrown by, or rejected from, the call that broke the rule, before a byte of it is written. A body that is streamed is checked as it runs: there the head is out, and the connection aborts.",
  ],
  CONNECTION_CODES: [
    "## Nobody's: `ConnectionError`",
    "No rule was broken: the io failed, ended too early, was too slow, or was given up.",
  ],
};

function errorsPage(codes) {
  const sections = Object.entries(FAULTS).flatMap(([name, [heading, text]]) => {
    const entries = Object.entries(codes[name]);
    const withStatus = entries.some(([, entry]) => entry.status !== undefined);
    const rows = entries.map(([code, { status, says }]) =>
      withStatus ? [`\`${code}\``, status ?? "", says] : [`\`${code}\``, says],
    );
    const head = withStatus ? ["code", "status", "meaning"] : ["code", "meaning"];
    return [heading, text, table(head, rows)];
  });
  return page(
    "# Errors",
    NOTE("packages/core/src/codes.ts"),
    "Every error has a stable `code`, and its class says whose fault it is. `instanceof` holds across copies of the package. Beside the code, where it applies: `offset` (in the stream of received bytes), `phase`, `bytesRead`, `bytesWritten`, and for a request `sent` (`nothing`, `part` or `all` of it was handed to the transport), `responseSeen` and `retrySafe`, which is true only for `nothing`. The message says what the rule is, then what came.",
    "The status is what a server answers where it still can.",
    ...sections,
  );
}

function limitsPage(limits, unbounded) {
  const kindOf = (name) => /(Ms|PerSecond)$/.exec(name)?.[1] ?? "size";
  const rowsOf = (kind) =>
    limits
      .filter(([name]) => kindOf(name) === kind)
      .map(([name, value, because]) => [`\`${name}\``, defaultOf(value, kind === "Ms"), because]);
  const head = ["option", "default", "because"];
  return page(
    "# Limits and deadlines",
    NOTE("packages/core/src/limits.ts"),
    "Every one of them is an option of both handshakes and of `HttpConnection`. They are checked when the connection is made: a whole number of 0 or more, or `Infinity` for a size that has no bound; anything else throws `INVALID_OPTION`, and so does an option that does not exist: `headMS: did you mean headMs?`",
    "## Sizes",
    "In bytes, or in pieces, as the name says. Each is exact: what equals the limit passes.",
    table(head, rowsOf("size")),
    "## Deadlines",
    "In milliseconds. 0 turns one off. A client's `idleMs` is off unless it is given.",
    table(head, rowsOf("Ms")),
    "## Speed",
    "In bytes per second, as they are on the wire. 0 turns one off. A client's `minStreamBytesPerSecond` is off unless it is given.",
    table(head, rowsOf("PerSecond")),
    "A body begins with `bodyProgressMs` (one of ours with `writeProgressMs`) of time to wait for the peer. Waiting uses it up, and each byte earns as much as the least speed gives, at 500 bytes per second 2 ms, up to the whole again: what came fast at first buys no rest later. Only the time is counted in which we read and nothing comes, or have handed bytes to the transport that it does not accept. A slow reader of ours, a body of ours that is made slowly, and a client whose body waits for our 100 cost the peer nothing.",
    "## What is not bounded by default",
    "Everything else that a peer can make us wait for has a bound above. These have none, and each has a reason:",
    table(
      ["what may last", "because", "what bounds it"],
      Object.entries(unbounded).map(([what, [because, bound]]) => [what, because, bound]),
    ),
  );
}

function defaultOf(value, isDeadline) {
  if (value === Infinity) return "none";
  if (isDeadline && value === 0) return "off";
  return value.toLocaleString("en-US");
}

function statesPage(states, moves, couplings) {
  return page(
    "# The state machine",
    NOTE("packages/core/src/state/"),
    "One machine keeps the state of both roles, on both ends: a client runs the server's half by what it receives, and the other way round. Two tables hold every move. Arrows with a plain label are moves caused by an event of that role; arrows with a label in parentheses are couplings, caused by where both roles stand. Beside the tables there are two things only: a role that breaks the rules goes to `error`, and two roles that are `done` begin the next cycle at `idle`.",
    "## The states",
    table(
      ["state", "meaning"],
      states.map(([state, meaning]) => [`\`${state}\``, meaning]),
    ),
    "## The client",
    diagram("client", moves, couplings),
    "## The server",
    diagram("server", moves, couplings),
    "`peer-request` is the client's request: it moves the server too. A server may answer what it could not understand, or a head that came too late: hence `response` while `idle`.",
    "## The couplings",
    "The first that matches is taken, until none matches. The order matters in one place: a proposal goes before the end of persistence, so that a request that says close may still switch.",
    table(
      ["when", "then", "because"],
      couplings.map(({ when, becomes, because }) => [
        Object.entries(when).map(situation).join(", "),
        Object.entries(becomes).map(situation).join(", "),
        because,
      ]),
    ),
  );
}

function lifecyclePage({ phases, causes, effects, moves }) {
  const code = (words) => words.map((word) => `\`${word}\``).join(", ");
  const edges = moves.flatMap(([{ from, on, becomes }]) =>
    from.map((phase) => `  ${id(phase)} --> ${id(becomes)}: ${on.join(", ")}`),
  );
  return page(
    "# The lifecycle of a connection",
    NOTE("packages/core/src/lifecycle/"),
    "The [state machine](state-machine.md) says who may send what. This table says what becomes of the connection as a whole: what ends it, and what the driver does then, in order. A cause that a phase has no row for changes nothing. `connection.phase` is the phase, and the option `onTransition(from, cause, to)` is called at each move.",
    "## The phases",
    table(["phase", "meaning"], withCode(phases)),
    ["```mermaid", "stateDiagram-v2", ...phases.map(named), "  [*] --> http", ...edges, "```"].join(
      "\n",
    ),
    "## The moves",
    table(
      ["in", "on", "becomes", "the driver does, in order", "because"],
      moves.map(([{ from, on, becomes, effects: does }, because]) => [
        code(from),
        code(on),
        code([becomes]),
        code(does),
        because,
      ]),
    ),
    "## The causes",
    table(["cause", "meaning"], withCode(causes)),
    "## The effects",
    table(["effect", "meaning"], withCode(effects)),
  );
}

function withCode(rows) {
  return rows.map(([word, meaning]) => [`\`${word}\``, meaning]);
}

function named([phase]) {
  return `  state "${phase}" as ${id(phase)}`;
}

function situation([what, value]) {
  if (what === "persists") return value ? "persistence is on" : "persistence is off";
  if (what === "proposed") return value ? "a proposal waits" : "no proposal waits";
  return `${what} = \`${value}\``;
}

function diagram(role, moves, couplings) {
  const edges = new Map();
  const add = (from, to, label) => {
    const key = `${id(from)} --> ${id(to)}`;
    edges.set(key, [...(edges.get(key) ?? []), label]);
  };
  for (const [from, row] of Object.entries(moves[role])) {
    for (const [cause, to] of Object.entries(row)) add(from, to, cause);
  }
  for (const { when, becomes, because } of couplings) {
    if (becomes[role] !== undefined) add(when[role], becomes[role], `(${because})`);
  }
  const named = new Set([...edges.keys()].flatMap((edge) => edge.split(" --> ")));
  return [
    "```mermaid",
    "stateDiagram-v2",
    ...[...named].map((name) => `  state "${name.replaceAll("_", "-")}" as ${name}`),
    "  [*] --> idle",
    ...[...edges].map(([edge, labels]) => `  ${edge}: ${[...new Set(labels)].join("<br/>")}`),
    "```",
  ].join("\n");
}

// Mermaid takes no dash in an id.
function id(state) {
  return state.replaceAll("-", "_");
}
