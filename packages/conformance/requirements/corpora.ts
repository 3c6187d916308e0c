// The tests of other parsers that were played here. Source of docs/evidence/corpora.md.

/** The test inputs of another project. The inputs are not included, only the results there and here. */
export interface Corpus {
  readonly name: string;
  readonly project: string;
  /** The version that was played. */
  readonly version: string;
  readonly license: string;
  /** What its cases are, and how they were compared. */
  readonly says: string;
  readonly cases: number;
  /** Cases that do not apply here. */
  readonly skipped: readonly { readonly cases: number; readonly because: string }[];
}

export const CORPORA: readonly Corpus[] = [
  {
    name: "llhttp",
    project: "nodejs/llhttp",
    version: "9.4.2 (01e105a)",
    license: "MIT",
    says: "the Markdown tests of Node's parser; a case is the line of its heading. Messages, targets, fields and bodies are compared with its spans, and a pause at an upgrade with an accepted switch; a request without Host is played a second time with one",
    cases: 272,
    skipped: [
      {
        cases: 21,
        because: "they split URLs; here a target is accepted or refused, and passed on as received",
      },
      { cases: 24, because: "they pause inside a callback, which is not possible here" },
      {
        cases: 37,
        because:
          "they turn on a lenient flag; there are none here, and none of these inputs is read leniently",
      },
      { cases: 1, because: "it skips the body of a request" },
    ],
  },
  {
    name: "gunicorn",
    project: "benoitc/gunicorn, tests/requests",
    version: "65ac1a3",
    license: "MIT",
    says: "requests, each with the result of the server's parser. Start lines, fields and bodies are compared",
    cases: 137,
    skipped: [
      {
        cases: 24,
        because:
          "they need another configuration: limits of their own, folded lines, the PROXY protocol",
      },
    ],
  },
  {
    name: "go",
    project: "golang/go, net/http: readrequest_test.go and response_test.go",
    version: "1.19.8",
    license: "BSD-3-Clause",
    says: "tables of requests and responses; a case is an index into its table. One message is compared, with its body and whether the connection persists",
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
    says: "Content-Length lines in a response, and the body length that browsers read; a case is an index into the list",
    cases: 28,
    skipped: [],
  },
];

/** Inputs without expected results. */
export const FLOWS = {
  project: "OISF/libhtp, test/files",
  version: "91b0117",
  license: "BSD-3-Clause",
  flows: 103,
  halves: 191,
} as const;
