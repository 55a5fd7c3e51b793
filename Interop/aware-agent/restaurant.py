# SPDX-License-Identifier: Apache-2.0
"""A restaurant that sells only what a person has agreed to: an aware agent (Spec, chapter 3).

Serves on the port given, or on any free one; prints its address."""

import asyncio, socket, sys, uuid  # noqa: E401

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import a2a_pb2 as pb
from google.protobuf.json_format import MessageToDict, ParseDict
from starlette.applications import Starlette

PARTS = "https://dragoman.example/a2a/ext/parts/v1"
TOTAL = {"value": "328.00", "currency": "CNY", "kind": "exact"}


class Restaurant(AgentExecutor):
    offers, orders = {}, {}  # what was offered, by task; what was sold, by idempotency key
    guests = {}  # what we were told of who comes, by idempotency key

    async def execute(self, context, queue):
        task = TaskUpdater(queue, context.task_id, context.context_id)
        if context.current_task is None:
            status = pb.TaskStatus(state=pb.TaskState.TASK_STATE_SUBMITTED)
            await queue.enqueue_event(pb.Task(
                id=context.task_id, context_id=context.context_id, status=status))
        parts = [MessageToDict(part) for part in context.message.parts]
        commits = [p["data"] for p in parts
                   if p.get("metadata", {}).get(PARTS, {}).get("type") == "commit"]
        if not commits:  # a wish: answer with an offer and change nothing
            offer = {"ref": f"Q-{uuid.uuid4().hex[:8]}", "action": "order.create", "total": TOTAL,
                     "items": [{"id": "set-menu", "title": "Set menu, deposit per guest",
                                "qty": "4", "unit": "82.00"}],
                     "cancel": "free until 18:00 on the day before",
                     "data": [{"type": "phone", "purpose": "fulfil-order", "retention": "604800"}]}
            self.offers[context.task_id] = offer
            return await task.requires_input(say(task, "draft", offer, "Dinner for four, CNY 328"))
        commit, offer = commits[0], self.offers.get(context.task_id)
        if offer is None or commit["ref"] != offer["ref"] or commit["total"] != offer["total"]:
            return await task.reject(task.new_agent_message([pb.Part(text="That was no offer.")]))
        told = {datum["type"]: datum["value"] for datum in commit.get("disclosed", [])}
        if any(need["type"] not in told for need in offer["data"]):
            return await task.reject(task.new_agent_message([pb.Part(text="Whom may we call?")]))
        self.guests[commit["key"]] = told  # for the host's eyes, and in no answer
        order = self.orders.setdefault(commit["key"], f"R-{len(self.orders) + 1:04}")
        outcome = {"ref": offer["ref"], "order": order, "total": offer["total"]}
        await task.complete(say(task, "outcome", outcome, f"Booked, order {order}"))

    async def cancel(self, context, queue):
        self.offers.pop(context.task_id, None)
        await TaskUpdater(queue, context.task_id, context.context_id).cancel()


def say(task, kind, data, words):
    part = ParseDict({"data": data, "metadata": {PARTS: {"type": kind}}}, pb.Part())
    return task.new_agent_message([part, pb.Part(text=words)])


def main():
    listener = socket.create_server(("127.0.0.1", int((sys.argv[1:] or [0])[0])))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    card = pb.AgentCard(
        name="Inn", description="A restaurant.", version="1.0.0",
        supported_interfaces=[
            pb.AgentInterface(url=url, protocol_binding="JSONRPC", protocol_version="1.0")],
        capabilities=pb.AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"], default_output_modes=["text/plain"],
        skills=[pb.AgentSkill(id="book", name="Book", description="Books a table.", tags=["book"])])
    handler = DefaultRequestHandler(Restaurant(), InMemoryTaskStore(), card)
    app = Starlette(routes=create_agent_card_routes(card) + create_jsonrpc_routes(handler, "/"))
    print(url, flush=True)
    asyncio.run(uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve([listener]))


if __name__ == "__main__":
    main()
