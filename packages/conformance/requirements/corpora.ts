// The tests of other parsers that were played here: docs/corpora.md is made of them.

/** The test inputs of another project. None of them is here: only what it makes of them, and what we do. */
export interface Corpus {
  readonly name: string;
  readonly project: string;
  /** Which state of it. */
  readonly version: string;
  readonly license: string;
  /** What its cases are, and how they were played here. */
  readonly says: string;
  readonly cases: number;
  /** Cases that ask nothing of us. */
  readonly skipped: readonly { readonly cases: number; readonly because: string }[];
}

export const CORPORA: readonly Corpus[] = [
  {
    name: "llhttp",
    project: "nodejs/llhttp",
    version: "9.4.2 (01e105a)",
    license: "MIT",
    says: "the Markdown tests of the parser of Node; a case is the line its heading stands in. Messages, targets, fields and bodies are compared with its spans, a pause at an upgrade with a switch that is accepted, and a request without Host once more with one",
    cases: 272,
    skipped: [
      {
        cases: 21,
        because: "they cut URLs; here a target is taken or refused, and given as it came",
      },
      { cases: 24, because: "they pause inside a callback; here nobody can" },
      {
        cases: 37,
        because:
          "they ask for a leniency, of which there is none here; none of them is read leniently",
      },
      { cases: 1, because: "it passes over the body of a request" },
    ],
  },
  {
    name: "gunicorn",
    project: "benoitc/gunicorn, tests/requests",
    version: "65ac1a3",
    license: "MIT",
    says: "requests, each with what the server's parser makes of it. Start lines, fields and bodies are compared",
    cases: 137,
    skipped: [
      {
        cases: 24,
        because:
          "they ask for another configuration: limits of their own, folded lines, the PROXY protocol",
      },
    ],
  },
  {
    name: "go",
    project: "golang/go, net/http: readrequest_test.go and response_test.go",
    version: "1.19.8",
    license: "BSD-3-Clause",
    says: "tables of requests and responses; a case is its place in its table. One message is compared, with its body and whether the connection lives on",
    cases: 43,
    skipped: [],
  },
  {
    name: "picohttpparser",
    project: "h2o/picohttpparser, test.c",
    version: "f832609",
    license: "MIT",
    says: "heads, whole, cut short and malformed: accepted, incomplete or refused",
    cases: 63,
    skipped: [],
  },
  {
    name: "wpt",
    project: "web-platform-tests/wpt, fetch/content-length",
    version: "36c7bd6",
    license: "BSD-3-Clause",
    says: "lines of Content-Length in a response, and how long browsers take its body to be; a case is its place in the list",
    cases: 28,
    skipped: [],
  },
];

/** Inputs that say nothing of what they should be taken for. */
export const FLOWS = {
  project: "OISF/libhtp, test/files",
  version: "91b0117",
  license: "BSD-3-Clause",
  flows: 103,
  halves: 191,
} as const;
