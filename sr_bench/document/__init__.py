"""Documents of any dialect: text in; tables, cells and claims with their places out, and edits."""
