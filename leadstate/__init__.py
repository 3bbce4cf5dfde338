"""Lead labels and seeded leads of Pipedrive accounts, declared in YAML and reconciled like infrastructure.

The rooms, from the top: `cli` > (`engine` | `config` | `report` | `sandbox`) > `pipedrive` > `kinds` > `core`.
docs/architecture.md walks one label through them.
"""

__version__ = "0.1.0.dev0"
