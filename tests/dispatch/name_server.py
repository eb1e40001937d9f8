"""A DNS server on loopback: TXT records by name, others by name and kind, or silence, or an error."""

import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """Answers for `records` (name without the last dot -> TXT texts) and `others` (name -> kind -> records as in a zone
    file). An `rcode` is all it says; `None` is silence.
    """

    def __init__(
        self,
        records: Mapping[str, list[str]],
        *,
        rcode: dns.rcode.Rcode | None = dns.rcode.NOERROR,
        others: Mapping[str, Mapping[str, list[str]]] | None = None,
    ) -> None:
        self.records, self.rcode, self.others = dict(records), rcode, dict(others or {})
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            wire, peer = self._socket.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            name = query.question[0].name
            self.asked.append(name.to_text(omit_final_dot=True))
            if self.rcode is not None:
                self._socket.sendto(self._answer(query, self.asked[-1]).to_wire(), peer)

    def _answer(self, query: dns.message.QueryMessage, name: str) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        answer.set_rcode(self.rcode or dns.rcode.NOERROR)
        texts = self.records.get(name)
        if self.rcode:
            return answer
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        if kind != "TXT" and name in self.others:
            found = self.others[name].get(kind)
            if found:
                answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", kind, *found))
        elif texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif texts:
            quoted = [" ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255)) for text in texts]
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "TXT", *quoted))
        return answer
