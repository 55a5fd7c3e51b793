# SPDX-License-Identifier: Apache-2.0
"""The client of the SDK of A2A 0.3 speaks to an agent, directly or through gateways.

Usage: client.py URL [--gateway]. Prints one line for each thing that was checked, as
../a2a-sdk/client.py does; the same conversation prints the same lines, whoever is at the other end.
"""

import asyncio
import sys
import uuid

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientJSONRPCError
from a2a.types import (
    Message, Part, Role, TaskArtifactUpdateEvent, TaskIdParams, TaskPushNotificationConfig,
    PushNotificationConfig, TaskQueryParams, TextPart)

TIMEOUT_SECONDS = 20


def message(words, task=None, context=None):
    return Message(
        message_id=str(uuid.uuid4()), role=Role.user, parts=[Part(root=TextPart(text=words))],
        task_id=task, context_id=context)


def words(holder):
    return " ".join(part.root.text for part in holder.parts)


def event(update, task):
    """One event of a stream as a few words; without an update it is the task."""
    if update is None:
        return f"task {task.status.state.value}"
    if isinstance(update, TaskArtifactUpdateEvent):
        return f"artifact {words(update.artifact)}"
    return f"status {update.status.state.value}{' final' if update.final else ''}"


class Conversation:
    def __init__(self, http, url, through_gateway):
        self.http = http
        self.url = url
        self.through_gateway = through_gateway

    async def run(self):
        async with self.http:
            self.card = await A2ACardResolver(self.http, self.url).get_agent_card()
            say("card", self.card.name, self.card.protocol_version, self.card.preferred_transport)
            self.unary_client = self.client(streaming=False)
            self.stream_client = self.client(streaming=True)
            await self.unary()
            await self.streaming()
            await self.follow_up()
            await self.get_task()
            await self.resubscribe_and_cancel()
            await self.failing()
            await self.errors()

    def client(self, streaming):
        config = ClientConfig(httpx_client=self.http, streaming=streaming)
        return ClientFactory(config).create(self.card)

    async def ask(self, *arguments, **named):
        """Sends without a stream; the answer is one task."""
        answers = [a async for a in self.unary_client.send_message(message(*arguments, **named))]
        check(len(answers) == 1 and isinstance(answers[0], tuple), answers)
        return answers[0][0]

    async def unary(self):
        task = await self.ask("hello")
        check(task.status.state.value == "completed", task)
        say("message/send", "completed", words(task.status.message))

    async def streaming(self):
        events = []
        async for task, update in self.stream_client.send_message(message("count")):
            events.append(event(update, task))
        check(len({task.id}) == 1, events)
        say("message/stream", *events, separator=", ")
        events = []
        async for task, update in self.stream_client.send_message(message("book a table")):
            events.append(event(update, task))
        say("message/stream", *events, separator=", ")

    async def follow_up(self):
        task = await self.ask("book a table")
        for words_of_user in ("four", "seven"):
            check(task.status.state.value == "input-required", task)
            say("follow-up", "input-required", words(task.status.message))
            ids = (task.id, task.context_id)
            task = await self.ask(words_of_user, task=task.id, context=task.context_id)
            check((task.id, task.context_id) == ids, task)
        check(task.status.state.value == "completed", task)
        say("follow-up", "completed", words(task.status.message))

    async def get_task(self):
        task = await self.ask("hello")
        again = await self.unary_client.get_task(TaskQueryParams(id=task.id))
        check((again.id, again.context_id) == (task.id, task.context_id), again)
        check([words(m) for m in again.history][:1] == ["hello"], again)
        all_of_it = await self.unary_client.get_task(TaskQueryParams(id=task.id, history_length=0))
        check([words(m) for m in all_of_it.history][:1] == ["hello"], all_of_it)
        say("tasks/get", again.status.state.value, "with its history, also for length 0")

    async def resubscribe_and_cancel(self):
        stream = self.stream_client.send_message(message("slow"))
        task, _ = await anext(stream)
        await anext(stream)
        await stream.aclose()
        events = []
        async for told, update in self.stream_client.resubscribe(TaskIdParams(id=task.id)):
            events.append(event(update, told))
            if len(events) == 3:
                canceled = await self.unary_client.cancel_task(TaskIdParams(id=task.id))
                check(canceled.status.state.value == "canceled", canceled)
        # The SDK's own server may close its stream before it tells of the cancellation.
        ends = {"status canceled final", "task canceled"}
        check(set(events) - ends <= {"task working", "status working"}, events)
        check("status working" in events, events)
        say("tasks/resubscribe", "status working")
        say("tasks/cancel", "canceled and the stream ends")

    async def failing(self):
        task = await self.ask("fly")
        check(task.status.state.value == "failed", task)
        say("failing", "failed", words(task.status.message))

    async def errors(self):
        finished = (await self.ask("hello")).id
        unknown = str(uuid.uuid4())
        client = self.unary_client
        await self.refused("tasks/get of none", client.get_task(TaskQueryParams(id=unknown)))
        await self.refused("tasks/cancel of none", client.cancel_task(TaskIdParams(id=unknown)))
        await self.refused(
            "tasks/cancel of a finished one", client.cancel_task(TaskIdParams(id=finished)))
        await self.refused(
            "tasks/resubscribe of none",
            self.drain(self.stream_client.resubscribe(TaskIdParams(id=unknown))))
        await self.refused("message/send to none", self.ask("more", task=unknown))
        if not self.through_gateway:
            return
        # Left to itself, the SDK's server calls it an internal error.
        await self.refused(
            "a webhook", client.set_task_callback(TaskPushNotificationConfig(
                task_id=finished,
                push_notification_config=PushNotificationConfig(url="https://cb.example"))))

    async def refused(self, name, call):
        try:
            await call
        except A2AClientJSONRPCError as error:
            say("error", name, error.error.code)
        else:
            check(False, f"{name} was answered")

    @staticmethod
    async def drain(stream):
        async for _ in stream:
            pass


def check(condition, evidence):
    if not condition:
        raise AssertionError(str(evidence))


def say(topic, *words, separator=" "):
    print(f"{topic:<20}{separator.join(str(word) for word in words)}", flush=True)


async def main():
    http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)
    await Conversation(http, sys.argv[1], "--gateway" in sys.argv).run()


if __name__ == "__main__":
    asyncio.run(main())
