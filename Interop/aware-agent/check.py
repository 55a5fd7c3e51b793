# SPDX-License-Identifier: Apache-2.0
"""Plays the gateway towards restaurant.py and checks what chapter 3 of the specification asks."""

import asyncio
import contextlib
import json
import pathlib
import subprocess
import sys
import uuid

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import a2a_pb2 as pb
from a2a.utils import errors
from google.protobuf.json_format import MessageToDict, ParseDict
from jsonschema import Draft202012Validator

HERE = pathlib.Path(__file__).parent
SCHEMA = HERE.parent.parent / "Spec" / "schemas" / "parts.json"
PARTS = "https://dragoman.example/a2a/ext/parts/v1"


def validator(kind):
    schema = json.loads(SCHEMA.read_text())
    del schema["oneOf"]
    return Draft202012Validator(schema | {"$ref": f"#/$defs/{kind}"})


def typed(message, kind):
    """The data of the one part of this type; beside it there must be a text."""
    parts = [MessageToDict(part) for part in message.parts]
    found = [p["data"] for p in parts
             if p.get("metadata", {}).get(PARTS, {}).get("type") == kind]
    assert len(found) == 1 and any(p.get("text") for p in parts), parts
    validator(kind).validate(found[0])
    return found[0]


class Gateway:
    def __init__(self, client):
        self.client = client

    async def send(self, part, task=None):
        message = pb.Message(
            message_id=str(uuid.uuid4()), role=pb.Role.ROLE_USER, parts=[part],
            task_id=task.id if task else "", context_id=task.context_id if task else "")
        request = pb.SendMessageRequest(message=message)
        return [answer async for answer in self.client.send_message(request)][0].task

    async def wish(self):
        task = await self.send(pb.Part(text="Dinner for four tomorrow"))
        assert task.status.state == pb.TaskState.TASK_STATE_INPUT_REQUIRED, task
        return task, typed(task.status.message, "draft")

    async def commit(self, task, draft, key, **changes):
        data = {"ref": draft["ref"], "total": draft["total"], "key": key, "consent": "A" * 43,
                "disclosed": [{"type": "phone", "value": "+8613800000000"}]} | changes
        validator("commit").validate(data)
        part = {"data": data, "metadata": {PARTS: {"type": "commit"}}}
        return await self.send(ParseDict(part, pb.Part()), task)

    async def run(self):
        task, draft = await self.wish()
        print("draft     ", draft["total"]["value"], draft["total"]["currency"], draft["action"])
        key = str(uuid.uuid4())
        done = await self.commit(task, draft, key)
        assert done.status.state == pb.TaskState.TASK_STATE_COMPLETED, done
        outcome = typed(done.status.message, "outcome")
        assert (outcome["ref"], outcome["total"]) == (draft["ref"], draft["total"]), outcome
        print("outcome   ", outcome["order"], outcome["total"]["value"])

        # A gateway that was stopped before it heard the answer sends its commit again.
        with contextlib.suppress(errors.UnsupportedOperationError):
            await self.commit(task, draft, key)
        again = await self.client.get_task(pb.GetTaskRequest(id=task.id))
        assert typed(again.status.message, "outcome") == outcome, again
        print("same key  ", "same order")

        task, draft = await self.wish()
        cheaper = draft["total"] | {"value": "1.00"}
        refused = await self.commit(task, draft, str(uuid.uuid4()), total=cheaper)
        assert refused.status.state == pb.TaskState.TASK_STATE_REJECTED, refused
        print("other sum ", "REJECTED")

        task, draft = await self.wish()
        canceled = await self.client.cancel_task(pb.CancelTaskRequest(id=task.id))
        assert canceled.status.state == pb.TaskState.TASK_STATE_CANCELED, canceled
        print("cancel    ", "CANCELED")


async def main(url):
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        card = await A2ACardResolver(http, url).get_agent_card()
        config = ClientConfig(httpx_client=http, streaming=False)
        await Gateway(ClientFactory(config).create(card)).run()


if __name__ == "__main__":
    agent = subprocess.Popen(
        [sys.executable, str(HERE / "restaurant.py")], stdout=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(main(agent.stdout.readline().strip()))
    finally:
        agent.terminate()
        agent.wait(10)
