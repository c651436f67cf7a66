"""Text to surface tree: `reading` parses, `kept` remembers what was parsed before. Must not know what any name means."""
