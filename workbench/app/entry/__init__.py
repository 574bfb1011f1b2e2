"""What Streamlit is pointed at. It stands apart because Streamlit would take a `pages` folder beside it as its own."""
