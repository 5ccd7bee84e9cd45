/** The field html: what is refused, what the others are reduced to, and the plain text that they say. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { readHtml } from "../../src/http/html.ts";
import { findHarm } from "../support/xhtml-harm.ts";
import { xssTexts } from "../support/xss-texts.ts";

describe("a well-formed fragment", () => {
  test.each([
    ["text", "text"],
    ["", ""],
    ["<p>a<em>c</em></p>d<br/>", "<p>a<em>c</em></p>d<br/>"],
    ["<p></p>", "<p/>"],
    ["<a href='https://x?a=1&amp;b=2'>y</a>", '<a href="https://x?a=1&amp;b=2">y</a>'],
    ["&amp;&lt;&gt;&quot;&apos;&#233;&#x1F600;", "&amp;&lt;&gt;\"'é😀"],
    ["<![CDATA[<b>&]]>x", "&lt;b&gt;&amp;x"],
    ["a<!-- note -->b", "ab"],
    ["a&#13;\r\nb", "a&#xD;\nb"],
    ["<img src='cid:a' alt='&#9;&#10;&#13;\"'/>", '<img src="cid:a" alt="&#x9;&#xA;&#xD;&quot;"/>'],
    ["<x:p xmlns:x='http://www.w3.org/1999/xhtml'>a</x:p>", "<p>a</p>"],
    ["<span xml:lang='de'>é</span>", '<span xml:lang="de">é</span>'],
    ["\u00A0 \n", "\u00A0 \n"],
  ])("%p becomes %p", (source, fragment) => {
    expect(readHtml(source).fragment).toBe(fragment);
    expect(readHtml(fragment).fragment).toBe(fragment);
  });
});

describe("what XHTML-IM has no place for", () => {
  test.each([
    ["gives way to its content", "<u>a</u><font color='red'>b</font><center><p>c</p></center>", "ab<p>c</p>"],
    ["as the body that mod_rest wants around it does", "<body><p>a</p></body>", "<p>a</p>"],
    [
      "and a document's frame",
      "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>a</body></html>",
      "a",
    ],
    [
      "goes with its content where that is no text",
      "a<script>b</script><style>c</style><head><title>d</title></head>e",
      "ae",
    ],
    [
      "and in another namespace",
      "a<svg xmlns='http://www.w3.org/2000/svg'>b<p xmlns='http://www.w3.org/1999/xhtml'>c</p></svg>d",
      "ad",
    ],
    ["goes in another letter case", "<SCRIPT>a</SCRIPT><P>b</P>", "ab"],
    ["has a name that means something to JavaScript", "<__proto__ constructor='a'>b</__proto__>", "b"],
    ["is said in other words", "<b>a</b><i>b</i>", "<strong>a</strong><em>b</em>"],
    ["loses an attribute", "<p class='a' id='b' title='c' onclick='d' data-x='e'>f</p>", "<p>f</p>"],
    [
      "loses one of another namespace",
      "<p xmlns:x='http://www.w3.org/1999/xlink' x:href='a' x:style='color: red'>f</p>",
      "<p>f</p>",
    ],
    ["loses a link's scheme", "<a href='javascript:alert(1)'>a</a>", "a"],
    ["loses a link that is none by itself", "<a href='/a'>a</a><a>b</a><a href='//x'>c</a>", "abc"],
    [
      "keeps a link's",
      "<a href='xmpp:room@rooms.example.com?join' type='text/html' rel='x'>a</a>",
      '<a href="xmpp:room@rooms.example.com?join" type="text/html">a</a>',
    ],
    [
      "loses a picture's source, and is its text then",
      "<img src='data:image/png;base64,AA' alt='a'/><img alt=''/><img/>",
      "a",
    ],
    [
      "keeps a picture's size",
      "<img src='https://x/y.png' width='10' height='50%' onerror='a'/>",
      '<img src="https://x/y.png" width="10" height="50%" alt=""/>',
    ],
    [
      "loses a size that is none",
      "<img src='https://x/y.png' alt='' width='expression(1)' height='1e9'/>",
      '<img src="https://x/y.png" alt=""/>',
    ],
    [
      "keeps style that is recommended",
      "<p style=' COLOR : #f00;font-family:\"DejaVu Sans\", serif;margin-left:-1.5em;color:rgba(1, 2,3,.5)'>a</p>",
      '<p style="color: #f00; font-family: &quot;DejaVu Sans&quot;, serif; margin-left: -1.5em; color: rgba(1, 2,3,.5)">a</p>',
    ],
    [
      "loses other style",
      "<p style='position: fixed; background: red; background-image: url(x); color: red'>a</p>",
      '<p style="color: red">a</p>',
    ],
    ["loses all style", "<p style='behavior: url(x)'>a</p>", "<p>a</p>"],
    ["loses a language that is none", "<p xml:lang='x_y'>a</p>", "<p>a</p>"],
    // biome-ignore format: one row a line
  ])("%s", (_, source, fragment) => {
    expect(readHtml(source).fragment).toBe(fragment);
    expect(readHtml(fragment).fragment).toBe(fragment);
  });
});

describe("as plain text", () => {
  test.each([
    [
      "a block has its own line",
      "<h1>Disk</h1>\n<p>is  <em>full</em></p>again<div>and</div><div>again</div>",
      "Disk\nis full\nagain\nand\nagain",
    ],
    ["a break ends a line", "a <br/> b<br/><br/>c", "a\nb\n\nc"],
    [
      "a list has its marks",
      "<ul><li>a</li><li>b</li></ul><ol><li>c</li><li>d<ul><li>e</li></ul></li></ol>",
      "- a\n- b\n1. c\n2. d\n- e",
    ],
    [
      "a link's address stands behind its words",
      "see <a href='https://x/y'>the log</a>!",
      "see the log <https://x/y>!",
    ],
    [
      "or alone",
      "<a href='https://x'>https://x</a> <a href='mailto:a@b'>a@b</a> <a href='https://y'> </a>",
      "https://x a@b https://y",
    ],
    [
      "a picture is its text",
      "<img src='https://x/y.png' alt='graph'/> or <img src='https://x/y.png'/>",
      "graph or https://x/y.png",
    ],
    ["white space is as a browser shows it", " a\n\t b <strong> c </strong> d ", "a b c d"],
    ["but where it is preserved", "<pre>a\n  b  c\n</pre>d", "a\n  b  c\nd"],
    ["a no-break space stays", "a&#160;&#160;b", "a\u00a0\u00a0b"],
    ["nothing is nothing", "<p/><span> </span><br/>", ""],
    ["markup that is text stays text", "&lt;b&gt; &amp;amp;", "<b> &amp;"],
    // biome-ignore format: one row a line
  ])("%s", (_, source, text) => {
    expect(readHtml(source).text).toBe(text);
  });
});

describe("hostile html", () => {
  test("there are 100 strings of it and more, most of them well-formed", () => {
    expect(new Set(xssTexts).size).toBeGreaterThanOrEqual(100);
    expect(xssTexts.filter((text) => reduced(text) !== undefined).length).toBeGreaterThanOrEqual(90);
  });

  test.each(xssTexts)("%s is harmless, or refused", (text) => {
    expect(findHarm(reduced(text) ?? "")).toEqual([]);
  });

  test("would be found, were it let through", () => {
    const found = xssTexts.filter((text) => reduced(text) !== undefined && findHarm(text).length > 0);
    expect(found.length).toBeGreaterThanOrEqual(90);
  });
});

function reduced(text: string): string | undefined {
  try {
    return readHtml(text).fragment;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

describe("a malformed fragment is refused", () => {
  test.each([
    "<p>",
    "</p>",
    "</body></html></message><message/>",
    "a</body>",
    "</body><body>",
    "<b></i>",
    "<B></b>",
    "<b",
    "<",
    "&",
    "a & b",
    "&nbsp;",
    "&#0;",
    "&#x1F;",
    "&#xD800;",
    "&#xFFFE;",
    "<b a=1/>",
    "<b a/>",
    "<b a='1' a='2'/>",
    "<b a='<'/>",
    "<x:y/>",
    "<!DOCTYPE html>",
    "<b><!DOCTYPE html></b>",
    "<!ENTITY a 'b'>",
    "<?xml version='1.0'?><b/>",
    "<?php echo 1 ?>",
    "<b><?pi?></b>",
    "<!-- open",
    "<!-- a -- b -->",
    "<![CDATA[open",
    "<xmlns:b/>",
    "<a:b:c xmlns:a='u'/>",
    "<b>".repeat(65) + "</b>".repeat(65),
  ])("%p", (fragment) => {
    let thrown: unknown;
    try {
      readHtml(fragment);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject({
      code: "malformed_html",
      message: expect.stringMatching(
        /^The field "html" could not be used: .+; a well-formed XHTML fragment is needed\.$/s,
      ),
    });
  });

  test("with the place in it", () => {
    expect(() => readHtml("<p>a\nb</i>")).toThrow(/: line 2, column 5: unexpected close tag; a well-formed/);
  });
});

test("64 levels are not too deep", () => {
  const deep = `${"<p>".repeat(63)}<p/>${"</p>".repeat(63)}`;
  expect(readHtml(deep).fragment).toBe(deep);
  const wide = "<p>a</p>".repeat(65);
  expect(readHtml(wide).fragment).toBe(wide);
});
