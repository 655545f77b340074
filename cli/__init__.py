"""The command `perimeter`: joins the other rooms and speaks to people and machines. No logic of its own."""
