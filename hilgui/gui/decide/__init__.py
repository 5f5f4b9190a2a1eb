"""The Decide page: from many paired runs to one decision, signed, acted upon and bundled."""
