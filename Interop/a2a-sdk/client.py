# SPDX-License-Identifier: Apache-2.0
"""The SDK's own client speaks to an agent, directly or through gateways, and checks each answer.

Usage: client.py URL BINDING [--gateway]. The binding is named as a card names it. Prints one line
for each thing that was checked; ids and times are left out, so that the same conversation prints
the same lines. With --gateway it also checks what only a gateway does: that a follow-up needs no
contextId, and that one does not see the agent's ids.
"""

import asyncio
import sys
import uuid

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import a2a_pb2 as pb
from a2a.utils import errors

TIMEOUT_SECONDS = 20


def request(words, task=None, context=None):
    message = pb.Message(
        message_id=str(uuid.uuid4()), role=pb.Role.ROLE_USER, parts=[pb.Part(text=words)],
        task_id=task or "", context_id=context or "")
    return pb.SendMessageRequest(message=message)


def state(status):
    return pb.TaskState.Name(status.state).removeprefix("TASK_STATE_")


def words(message):
    return " ".join(part.text for part in message.parts)


def event(response):
    """One event of a stream as a few words."""
    kind = response.WhichOneof("payload")
    if kind == "task":
        return f"task {state(response.task.status)}"
    if kind == "status_update":
        return f"status {state(response.status_update.status)}"
    if kind == "artifact_update":
        return f"artifact {words(response.artifact_update.artifact)}"
    return kind


class Conversation:
    def __init__(self, http, url, binding, through_gateway):
        self.http = http
        self.url = url
        self.binding = binding
        self.through_gateway = through_gateway

    async def run(self):
        async with self.http:
            self.card = await A2ACardResolver(self.http, self.url).get_agent_card()
            self.endpoint = next(interface.url for interface in self.card.supported_interfaces
                                 if interface.protocol_binding == self.binding)
            say("card", self.card.name, self.binding)
            self.unary_client = self.client(streaming=False)
            self.stream_client = self.client(streaming=True)
            await self.unary()
            await self.streaming()
            await self.follow_up()
            await self.get_task()
            await self.subscribe_and_cancel()
            await self.failing()
            await self.errors()
            if self.through_gateway:
                await self.only_through_a_gateway()

    def client(self, streaming):
        config = ClientConfig(
            httpx_client=self.http, streaming=streaming, supported_protocol_bindings=[self.binding])
        return ClientFactory(config).create(self.card)

    async def ask(self, *arguments, **named):
        """Sends without a stream; the answer is one task."""
        answers = [a async for a in self.unary_client.send_message(request(*arguments, **named))]
        check(len(answers) == 1 and answers[0].WhichOneof("payload") == "task", answers)
        return answers[0].task

    async def unary(self):
        task = await self.ask("hello")
        check(state(task.status) == "COMPLETED", task)
        check(words(task.status.message) == "Hello to you.", task)
        say("unary", "COMPLETED", words(task.status.message))

    async def streaming(self):
        events = []
        ids = set()
        async for response in self.stream_client.send_message(request("count")):
            events.append(event(response))
            kind = response.WhichOneof("payload")
            payload = getattr(response, kind)
            ids.add(payload.id if kind == "task" else payload.task_id)
        check(events == [
            "task SUBMITTED", "status WORKING", "artifact one", "artifact two", "artifact three",
            "status COMPLETED"], events)
        check(len(ids) == 1, ids)
        say("streaming", *events, separator=", ")

    async def follow_up(self):
        task = await self.ask("book a table")
        for words_of_user in ("four", "seven"):
            check(state(task.status) == "INPUT_REQUIRED", task)
            say("follow-up", "INPUT_REQUIRED", words(task.status.message))
            ids = (task.id, task.context_id)
            task = await self.ask(words_of_user, task=task.id, context=task.context_id)
            check((task.id, task.context_id) == ids, task)
        check(state(task.status) == "COMPLETED", task)
        check(words(task.status.message) == "A table for four at seven.", task)
        say("follow-up", "COMPLETED", words(task.status.message))

    async def get_task(self):
        task = await self.ask("hello")
        again = await self.unary_client.get_task(pb.GetTaskRequest(id=task.id))
        check((again.id, again.context_id) == (task.id, task.context_id), again)
        check(state(again.status) == "COMPLETED", again)
        check([words(m) for m in again.history][:1] == ["hello"], again)
        without = await self.unary_client.get_task(
            pb.GetTaskRequest(id=task.id, history_length=0))
        check(not without.history, without)
        say("GetTask", "COMPLETED", "with history and without")

    async def subscribe_and_cancel(self):
        stream = self.stream_client.send_message(request("slow"))
        task = (await anext(stream)).task
        await anext(stream)
        await stream.aclose()
        events = []
        async for response in self.stream_client.subscribe(
                pb.SubscribeToTaskRequest(id=task.id)):
            events.append(event(response))
            if len(events) == 3:
                canceled = await self.unary_client.cancel_task(pb.CancelTaskRequest(id=task.id))
                check(state(canceled.status) == "CANCELED", canceled)
        check(events[0] == "task WORKING", events)
        check(set(events[1:-1]) == {"status WORKING"}, events)
        check(events[-1] in ("status CANCELED", "task CANCELED"), events)
        say("SubscribeToTask", events[0], "then", events[1])
        say("CancelTask", "CANCELED", "and the stream ends")

    async def failing(self):
        task = await self.ask("fly")
        check(state(task.status) == "FAILED", task)
        say("failing", "FAILED", words(task.status.message))

    async def errors(self):
        finished = (await self.ask("hello")).id
        unknown = str(uuid.uuid4())
        client = self.unary_client
        await self.refused("GetTask of none", errors.TaskNotFoundError,
                           client.get_task(pb.GetTaskRequest(id=unknown)))
        await self.refused("CancelTask of none", errors.TaskNotFoundError,
                           client.cancel_task(pb.CancelTaskRequest(id=unknown)))
        await self.refused("CancelTask of a finished one", errors.TaskNotCancelableError,
                           client.cancel_task(pb.CancelTaskRequest(id=finished)))
        await self.refused("SubscribeToTask of a finished one", errors.UnsupportedOperationError,
                           self.drain(self.stream_client.subscribe(
                               pb.SubscribeToTaskRequest(id=finished))))
        await self.refused("SendMessage to a finished one", errors.UnsupportedOperationError,
                           self.ask("more", task=finished))
        await self.refused("SendMessage to none", errors.TaskNotFoundError,
                           self.ask("more", task=unknown))
        if self.binding == "HTTP+JSON":
            await self.raw_path("no such path", 404, "/songs/of/mine", "{}")
            await self.raw_path("no message", 400, "/message:send", "{}")
            return
        for name, code, body, version in (
                ("no such method", -32601, {"method": "Sing", "params": {}}, "1.0"),
                ("no message", -32602, {"method": "SendMessage", "params": {}}, "1.0"),
                ("not JSON", -32700, None, "1.0")):
            await self.raw(name, code, body, version)

    async def refused(self, name, kind, call):
        try:
            await call
        except errors.A2AError as error:
            check(type(error) is kind, f"{name}: {error!r}")
            say("error", name, kind.__name__)
        else:
            check(False, f"{name} was answered")

    async def raw(self, name, code, body, version):
        headers = {"Content-Type": "application/json"}
        if version:
            headers["A2A-Version"] = version
        # The SDK makes the version a default of the client that it was given.
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            if body is not None:
                response = await http.post(
                    self.endpoint, json={"jsonrpc": "2.0", "id": 7} | body, headers=headers)
            else:
                response = await http.post(self.endpoint, content="{", headers=headers)
        answer = response.json()
        check(response.status_code == 200 and answer["error"]["code"] == code, answer)
        check(answer["id"] == (7 if body is not None else None), answer)
        say("error", name, code)

    async def raw_path(self, name, status, path, body, version="1.0"):
        headers = {"Content-Type": "application/a2a+json"}
        if version:
            headers["A2A-Version"] = version
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            response = await http.post(
                self.endpoint.rstrip("/") + path, content=body, headers=headers)
        check(response.status_code == status, response.text)
        say("error", name, status)

    async def only_through_a_gateway(self):
        # Left to itself, the SDK's server makes up a new context for each message that names only
        # its task, and gives the task up at the second. A gateway knows the context and adds it.
        task = await self.ask("book a table")
        await self.ask("two", task=task.id)
        answer = await self.ask("eight", task=task.id)
        check(answer.context_id == task.context_id, answer)
        check(words(answer.status.message) == "A table for two at eight.", answer)
        say("gateway", "two follow-ups without contextId", state(answer.status))
        # A2A §3.6.1: no version means 0.3, which has no such method and no such binding here.
        if self.binding == "JSONRPC":
            await self.raw(
                "no version", -32009, {"method": "GetTask", "params": {"id": "x"}}, None)
        else:
            await self.raw_path("not JSON", 400, "/message:send", "{")
            await self.raw_path("no version", 400, "/tasks/x:cancel", "", None)
        headers = words((await self.ask("headers")).status.message).split()
        check("a2a-extensions" not in headers, headers)
        say("gateway", "the agent is told nothing of our extensions")

    @staticmethod
    async def drain(stream):
        async for _ in stream:
            pass


def check(condition, evidence):
    if not condition:
        raise AssertionError(str(evidence))


def say(topic, *words, separator=" "):
    print(f"{topic:<16}{separator.join(str(word) for word in words)}", flush=True)


async def main():
    http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)
    await Conversation(http, sys.argv[1], sys.argv[2], "--gateway" in sys.argv).run()


if __name__ == "__main__":
    asyncio.run(main())
