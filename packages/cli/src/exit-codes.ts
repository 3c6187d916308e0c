// judge → [exit codes] → scripts: what the process exits with

/** The exit code of each class of verdicts, and what it means. */
export const EXIT_CODES = {
  healthy: 0,
  internal: 1,
  usage: 2,
  network: 3,
  tls: 4,
  proxy: 5,
  refused: 6,
  answer: 7,
  after: 8,
} as const;

export type ExitClass = keyof typeof EXIT_CODES;

/** The words for each, for help and documents. */
export const EXIT_MEANINGS: Readonly<Record<ExitClass, string>> = {
  healthy: "it switched, and what was tried after the switch worked",
  internal: "this program failed",
  usage: "the command line is wrong",
  network: "the name, the address or the network",
  tls: "TLS, or its absence",
  proxy: "the proxy that was asked for a tunnel",
  refused: "an ordinary response instead of a switch",
  answer: "no answer, or one that breaks a rule",
  after: "it switched, and broke after that",
};
