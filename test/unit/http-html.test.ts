/** XHTML-IM fragments: what is refused, and what the others become. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { checkHtml } from "../../src/http/html.ts";

describe("a well-formed fragment", () => {
  test.each([
    ["text", "text"],
    ["", ""],
    ["<p>a<b>c</b></p>d<br/>", "<p>a<b>c</b></p>d<br/>"],
    ["<p></p>", "<p></p>"],
    ["<a href='x?a=1&amp;b=\"2\"'>y</a>", '<a href="x?a=1&amp;b=&quot;2&quot;">y</a>'],
    ["&amp;&lt;&gt;&quot;&apos;&#233;&#x1F600;", "&amp;&lt;&gt;&quot;'é😀"],
    ["<![CDATA[<b>&]]>x", "&lt;b&gt;&amp;x"],
    ["a<!-- note -->b", "ab"],
    ["a&#13;\r\nb", "a&#13;\nb"],
    ["<b title='&#9;&#10;&#13;'/>", '<b title="&#9;&#10;&#13;"/>'],
    ["<x:y xmlns:x='u:v' x:z='1'/>", '<x:y xmlns:x="u:v" x:z="1"/>'],
    ["<i xml:lang='de'>é</i>", '<i xml:lang="de">é</i>'],
    ["<__proto__ constructor='a'/>", '<__proto__ constructor="a"/>'],
    ["\u00A0 \n", "\u00A0 \n"],
  ])("%p becomes %p", (fragment, written) => {
    expect(checkHtml(fragment)).toBe(written);
    expect(checkHtml(written)).toBe(written);
  });
});

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
      checkHtml(fragment);
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
    expect(() => checkHtml("<p>a\nb</i>")).toThrow(/: line 2, column 5: unexpected close tag; a well-formed/);
  });
});

test("64 levels are not too deep", () => {
  const deep = "<b>".repeat(64) + "</b>".repeat(64);
  expect(checkHtml(deep)).toBe(deep);
  const wide = "<b>a</b>".repeat(65);
  expect(checkHtml(wide)).toBe(wide);
});
