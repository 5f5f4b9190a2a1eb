"""The Test cases page: tree, editor, queue, questions, verdicts, trends; the desk runs cases off the GUI thread."""
