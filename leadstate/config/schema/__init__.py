"""What people may write, as models, and the JSON Schema made from them. Says nothing about how things fit together."""
