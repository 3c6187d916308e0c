# Reads cases from stdin, one JSON object per line, and prints h11's result for each.
import json
import sys

import h11


def listener(case):
    if case["role"] == "server":
        return h11.Connection(h11.SERVER)
    connection = h11.Connection(h11.CLIENT)
    method = case["method"]
    headers = [("Host", "a.test")]
    if case["offers"]:
        headers += [("Connection", "Upgrade"), ("Upgrade", ", ".join(case["offers"]))]
    target = "a.test:443" if method == "CONNECT" else "/"
    connection.send(h11.Request(method=method, target=target, headers=headers))
    connection.send(h11.EndOfMessage())
    return connection


def answer(connection):
    """Sends 200 if a response is due; otherwise returns False."""
    if connection.our_state is h11.SEND_RESPONSE and connection.their_state is h11.DONE:
        connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
        connection.send(h11.EndOfMessage())
    if connection.our_state is h11.DONE and connection.their_state is h11.DONE:
        connection.start_next_cycle()
        return True
    return False


def observe(case):
    connection = listener(case)
    bodies = []
    complete = 0
    refused = ""
    try:
        connection.receive_data(case["text"].encode("latin-1"))
        while True:
            event = connection.next_event()
            if isinstance(event, (h11.Request, h11.Response, h11.InformationalResponse)):
                bodies.append("")
                complete += isinstance(event, h11.InformationalResponse)
            elif isinstance(event, h11.Data):
                bodies[-1] += bytes(event.data).decode("latin-1")
            elif isinstance(event, h11.EndOfMessage):
                complete += 1
            elif event in (h11.NEED_DATA, h11.PAUSED):
                # The head of a switch is a complete message.
                complete += connection.their_state is h11.SWITCHED_PROTOCOL
                if case["role"] == "client" or not answer(connection):
                    break
            else:
                break
    except h11.RemoteProtocolError as error:
        refused = str(error)
    return {"bodies": bodies, "complete": complete, "refused": refused}


for line in sys.stdin:
    print(json.dumps(observe(json.loads(line))), flush=True)
