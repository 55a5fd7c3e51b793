# SPDX-License-Identifier: Apache-2.0
# The aware agent of Interop/, to stand behind the gateway of compose.yaml.
FROM python:3.11-slim-bookworm
COPY Interop/requirements.txt /
RUN pip install --no-cache-dir --requirement /requirements.txt
COPY Interop/aware-agent/restaurant.py /
USER 65534
ENTRYPOINT ["python", "/restaurant.py"]
CMD ["9999"]
