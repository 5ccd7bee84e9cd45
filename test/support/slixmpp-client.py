"""bob's client for tests: logs in, and prints each message as slixmpp (which shares no code with post-msg) understands it.

Arguments: JID, password, host, port, file with the trusted certificate. One JSON object a line on standard output.
"""

import asyncio
import json
import sys

import slixmpp

PLUGINS = [
    "xep_0066", "xep_0071", "xep_0085", "xep_0172", "xep_0184", "xep_0203", "xep_0249", "xep_0308", "xep_0333",
    "xep_0335", "xep_0359", "xep_0380", "xep_0428", "xep_0444", "xep_0461",
]


def of_plugin(message, name, *keys):
    """The values of one XEP's element; nothing where the message has none."""
    stanza = message.get_plugin(name, check=True)
    return None if stanza is None else {key: plain(stanza[key]) for key in keys}


def plain(value):
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def tree(element):
    """Any element: [{namespace}name, attributes, text, children]"""
    return [element.tag, dict(element.attrib), element.text or "", [tree(child) for child in element]]


def by_language(message, name):
    found = {}
    for element in message.xml.findall("{jabber:client}%s" % name):
        found[element.get("{http://www.w3.org/XML/1998/namespace}lang", "")] = element.text or ""
    return found


def describe(message):
    html = message.get_plugin("html", check=True)
    return {
        "id": message["id"],
        "type": message["type"],
        "from": message["from"].bare,
        "lang": message["lang"],
        "body": message["body"],
        "bodies": by_language(message, "body"),
        "subjects": by_language(message, "subject"),
        "thread": message["thread"],
        "parent_thread": message["parent_thread"],
        "html": None if html is None else html["body"],
        "nick": of_plugin(message, "nick", "nick"),
        "oob": of_plugin(message, "oob", "url", "desc"),
        "state": message["chat_state"],
        "replace": of_plugin(message, "replace", "id"),
        "reply": of_plugin(message, "reply", "id", "to"),
        "reactions": of_plugin(message, "reactions", "id", "values"),
        "markable": message.get_plugin("markable", check=True) is not None,
        "displayed": of_plugin(message, "displayed", "id"),
        "invite": of_plugin(message, "groupchat_invite", "jid", "password", "reason"),
        "delay": of_plugin(message, "delay", "stamp"),
        "fallback": message.get_plugin("fallback", check=True) is not None,
        "encryption": of_plugin(message, "eme", "namespace"),
        "origin_id": of_plugin(message, "origin_id", "id"),
        "children": [tree(child) for child in message.xml],
    }


class Client(slixmpp.ClientXMPP):
    def __init__(self, jid, password, ca_file):
        super().__init__(jid, password)
        self.ca_certs = ca_file
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        # Its own receipts, markers and states would be messages that no test expects.
        self["xep_0184"].auto_ack = False
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_all_auth", lambda _: sys.exit("The login failed."))
        self.register_handler(
            slixmpp.xmlstream.handler.Callback(
                "every message",
                slixmpp.xmlstream.matcher.MatchXPath("{jabber:client}message"),
                lambda message: say(describe(message)),
            )
        )

    async def start(self, _):
        self.send_presence()
        await self.get_roster()
        say({"ready": self.boundjid.full})


def say(what):
    print(json.dumps(what), flush=True)


def main():
    jid, password, host, port, ca_file = sys.argv[1:]
    client = Client(jid, password, ca_file)
    client.connect((host, int(port)))
    asyncio.get_event_loop().run_until_complete(client.disconnected)


main()
