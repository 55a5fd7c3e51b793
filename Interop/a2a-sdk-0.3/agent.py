# SPDX-License-Identifier: Apache-2.0
"""A real agent of A2A 0.3 on its SDK's own server; it does what ../a2a-sdk/agent.py does.

It prints its address, then serves until it is stopped.
"""

import asyncio
import socket

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import (
    AgentCapabilities, AgentCard, AgentSkill, Part, Role, Task, TaskState, TaskStatus, TextPart)


def text(words):
    return [Part(root=TextPart(text=words))]


class Echo(AgentExecutor):
    async def execute(self, context, queue):
        task = TaskUpdater(queue, context.task_id, context.context_id)
        words = context.get_user_input()
        if context.current_task is None:
            await queue.enqueue_event(Task(
                id=context.task_id, context_id=context.context_id, history=[context.message],
                status=TaskStatus(state=TaskState.submitted)))
        else:
            said = [m.parts[0].root.text for m in context.current_task.history
                    if m.role == Role.user]
            return await self.book(task, said)
        match words.split()[0]:
            case "hello":
                await task.complete(task.new_agent_message(text("Hello to you.")))
            case "count":
                await task.start_work()
                for number in ("one", "two", "three"):
                    await task.add_artifact(
                        text(number), artifact_id="numbers", append=number != "one",
                        last_chunk=number == "three")
                    await asyncio.sleep(0.05)
                await task.complete()
            case "book":
                await self.book(task, [words])
            case "slow":
                while True:
                    await task.start_work(task.new_agent_message(text("Still at it.")))
                    await asyncio.sleep(0.1)
            case "headers":
                headers = context.call_context.state.get("headers", {})
                await task.complete(task.new_agent_message(text(" ".join(sorted(headers)))))
            case _:
                await task.failed(task.new_agent_message(text("I cannot do that.")))

    async def book(self, task, said):
        match said[1:]:
            case []:
                await task.requires_input(task.new_agent_message(text("For how many?")), final=True)
            case [_]:
                await task.requires_input(task.new_agent_message(text("And when?")), final=True)
            case [guests, time, *_]:
                booked = f"A table for {guests} at {time}."
                await task.complete(task.new_agent_message(text(booked)))

    async def cancel(self, context, queue):
        await TaskUpdater(queue, context.task_id, context.context_id).cancel()


def card(url):
    return AgentCard(
        name="Echo", description="Answers what it is told.", version="1.0.0", url=url,
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"], default_output_modes=["text/plain"],
        skills=[AgentSkill(id="echo", name="Echo", description="Answers.", tags=["test"])])


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    handler = DefaultRequestHandler(agent_executor=Echo(), task_store=InMemoryTaskStore())
    app = A2AStarletteApplication(agent_card=card(url), http_handler=handler).build()
    print(url, flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main()
