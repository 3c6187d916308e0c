// Doc comments as Markdown: the text, what is thrown, parameters, examples.
import ts from "typescript";

/**
 * `{ text, throws, parameters, examples, isInternal }` of a node. `link(symbol, text)` writes a link
 * to what a `{@link}` means, or undefined.
 */
export function commentOf(node, link) {
  const comments = node === undefined ? [] : ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const comment = comments.at(-1);
  const doc = {
    text: "",
    throws: [],
    parameters: [],
    examples: [],
    returns: "",
    isInternal: false,
  };
  if (comment === undefined) return doc;
  doc.text = textOf(comment.comment, link);
  for (const tag of comment.tags ?? []) {
    const text = textOf(tag.comment, link);
    const word = tag.tagName.text;
    if (word === "throws") doc.throws.push(thrown(tag, text, link));
    else if (word === "param") doc.parameters.push({ name: tag.name.getText(), text });
    else if (word === "returns") doc.returns = text;
    else if (word === "example") doc.examples.push(text);
    else if (word === "internal") doc.isInternal = true;
    else throw new Error(`${node.getSourceFile().fileName}: nothing renders @${word}`);
  }
  return doc;
}

function thrown({ typeExpression }, text, link) {
  if (typeExpression === undefined) return text;
  const name = typeExpression.type.getText();
  return `${link(name, `\`${name}\``)}: ${text}`.replace(/: $/, "");
}

function textOf(comment, link) {
  if (comment === undefined) return "";
  if (typeof comment === "string") return comment;
  return comment
    .map((part) => {
      if (!ts.isJSDocLink(part)) return part.text;
      const name = part.name?.getText() ?? "";
      return link(name, `\`${part.text.trim() === "" ? name : part.text.trim()}\``);
    })
    .join("");
}

/** The first sentence, for lists: without links, which may lead to the page it is from. */
export function firstSentence(text) {
  const [paragraph = ""] = text.split("\n\n");
  const line = paragraph.replaceAll("\n", " ").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
  return /^.*?\.(?=\s|$)/.exec(line)?.[0] ?? line.replace(/:$/, ".");
}
