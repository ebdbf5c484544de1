"""The canonical folder: responses saved as Parquet files."""
